import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from '#stack/processes/guarded-process.js';

/** The files of a certificate and of its key. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** A certificate authority that exists for one test. */
export interface Authority {
  /** The file of its certificate. */
  ca: string;
  /**
   * Signs a certificate.
   *
   * @param name of the server, or of the role of a client
   * @param owner may read the key; without it, we ourselves
   */
  sign(name: string, owner?: User): CertificateFiles;
}

/** Curves instead of RSA, as keys are made at once then. */
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Creates a certificate authority with openssl. Its files are in the folder. */
export function createAuthority(folder: string): Authority {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const [ca, caKey] = [file('ca.crt'), file('ca.key')];
  openssl('req', '-x509', ...KEY, '-keyout', caKey, '-out', ca, '-subj', '/CN=Test CA', '-days', '1');
  return {
    ca,
    sign(name, owner) {
      const [key, request, cert] = [file(`${name}.key`), file(`${name}.csr`), file(`${name}.crt`)];
      const extensions = file(`${name}.ext`);
      writeFileSync(extensions, `subjectAltName=DNS:${name}\n`);
      openssl('req', '-new', ...KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
      const issuer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, '-out', cert, ...issuer);
      chmodSync(key, 0o600);
      if (owner) chownSync(key, owner.uid, owner.gid);
      return { cert, key };
    },
  };
}

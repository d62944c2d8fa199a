import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from '#stack/processes/guarded-process.js';

/** A certificate and its key, as text and as files. */
export interface Certificate {
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

/** A certificate authority that exists for one test. */
export interface Authority {
  ca: string;
  caFile: string;
  /**
   * Signs a certificate.
   *
   * @param name of the server, which is not its address, or of the role of a client
   * @param owner may read the key; without it, we ourselves
   */
  sign(name: string, owner?: User): Certificate;
}

/** Curves instead of RSA, as keys are made at once then. */
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Creates a certificate authority with openssl. Its files are in the folder, which it shares with no other authority. */
export function createAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const [caFile, caKey] = [file('ca.crt'), file('ca.key')];
  openssl('req', '-x509', ...KEY, '-keyout', caKey, '-out', caFile, '-subj', '/CN=Test CA', '-days', '1');
  return {
    ca: readFileSync(caFile, 'utf8'),
    caFile,
    sign(name, owner) {
      const [keyFile, request, certFile] = [file(`${name}.key`), file(`${name}.csr`), file(`${name}.crt`)];
      const extensions = file(`${name}.ext`);
      writeFileSync(extensions, `subjectAltName=DNS:${name}\n`);
      openssl('req', '-new', ...KEY, '-keyout', keyFile, '-out', request, '-subj', `/CN=${name}`);
      const issuer = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, '-out', certFile, ...issuer);
      chmodSync(keyFile, 0o600);
      const key = readFileSync(keyFile, 'utf8');
      if (owner) chownSync(keyFile, owner.uid, owner.gid);
      return { cert: readFileSync(certFile, 'utf8'), key, certFile, keyFile };
    },
  };
}

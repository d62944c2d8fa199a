import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

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
  /** Signs a certificate for a name, which is not the address of the server. */
  sign(name: string): Promise<Certificate>;
}

/** Curves instead of RSA, as keys are made at once then. */
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Creates a certificate authority with openssl. Its files are in the folder. */
export async function createAuthority(dir: string): Promise<Authority> {
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: dir });
  const [caFile, caKey] = [file('ca.crt'), file('ca.key')];
  await openssl('req', '-x509', ...KEY, '-keyout', caKey, '-out', caFile, '-subj', '/CN=Test CA', '-days', '1');
  return {
    ca: await readFile(caFile, 'utf8'),
    caFile,
    async sign(name) {
      const [keyFile, request, certFile, extensions] = ['key', 'csr', 'crt', 'ext'].map(end =>
        file(`${name}.${end}`),
      ) as [string, string, string, string];
      await writeFile(extensions, `subjectAltName=DNS:${name}\n`);
      await openssl('req', '-new', ...KEY, '-keyout', keyFile, '-out', request, '-subj', `/CN=${name}`);
      const issuer = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', extensions];
      await openssl('x509', '-req', '-in', request, '-out', certFile, ...issuer);
      return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8'), certFile, keyFile };
    },
  };
}

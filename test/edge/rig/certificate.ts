import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The paths of a private key and of its certificate. */
export interface KeyPair {
  key: string;
  certificate: string;
}

/** Creates a self-signed certificate for 127.0.0.1, in two files of a folder. */
export function createCertificate(folder: string): KeyPair {
  const pair = { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
  const to = ['-keyout', pair.key, '-out', pair.certificate];
  const how = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=127.0.0.1',
  ];
  execFileSync('openssl', ['req', ...how, ...to], { stdio: 'ignore' });
  return pair;
}

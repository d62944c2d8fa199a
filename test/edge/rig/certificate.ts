import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The paths of a key and of its certificate. */
export interface KeyPair {
  key: string;
  certificate: string;
}

/**
 * Makes a certificate for 127.0.0.1 that it has signed itself.
 *
 * @param folder takes both files
 * @returns their paths
 */
export function certificate(folder: string): KeyPair {
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

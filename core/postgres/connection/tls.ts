import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from 'node:tls';
import { ConfigError } from '../../process/config.js';
import type { PostgresAddress, PostgresHost } from '../../values/postgres-address.js';

/** The certificates of a connection, read from the files that the address names. */
export type Certificates = Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;

/** The word of libpq for the certificate authorities that the machine trusts. */
const SYSTEM = 'system';

/**
 * Reads the certificates that an address names. They are read once: a renewed certificate needs a new process.
 *
 * @throws ConfigError when a file cannot be read, or holds no certificate or key
 */
export function readCertificates(address: PostgresAddress): Certificates {
  const { sslrootcert, sslcert, sslkey } = address;
  const certificates = {
    ...(sslrootcert && sslrootcert !== SYSTEM ? { ca: readPem('sslrootcert', sslrootcert) } : {}),
    ...(sslcert ? { cert: readPem('sslcert', sslcert) } : {}),
    ...(sslkey ? { key: readPem('sslkey', sslkey) } : {}),
  };
  try {
    createSecureContext(certificates);
  } catch (error) {
    throw new ConfigError(
      `DATABASE_URL names sslrootcert, sslcert or sslkey that cannot be used: ${(error as Error).message}`,
    );
  }
  return certificates;
}

function readPem(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(
      `DATABASE_URL names a file for ${parameter} that cannot be read: ${(error as Error).message}`,
    );
  }
}

/**
 * Returns the options of TLS for a connection to one server, with the meaning that `sslmode` has in libpq.
 *
 * @returns false for a connection without TLS; a Unix socket never has it
 */
export function tlsOptions(
  { sslmode, sslrootcert }: PostgresAddress,
  certificates: Certificates,
  { host }: PostgresHost,
): ConnectionOptions | false {
  if (sslmode === 'disable' || host.startsWith('/')) return false;
  const isFull = sslmode === 'verify-full' || sslrootcert === SYSTEM;
  return {
    ...certificates,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: sslmode !== 'require',
    checkServerIdentity: (_, certificate) => (isFull ? checkServerIdentity(host, certificate) : undefined),
  };
}

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Only the owner may read the file. */
const FILE_MODE = 0o600;
const AUTH_SECRET_BYTES = 32;
const ADMIN_TOKEN_BYTES = 16;

/** The secret that signs buyers' tokens, and the token that opens the admin console. */
export interface Secrets {
  AUTH_SECRET: string;
  ADMIN_TOKEN: string;
}

/** Creates random secrets. */
export function createSecrets(): Secrets {
  return {
    AUTH_SECRET: randomBytes(AUTH_SECRET_BYTES).toString('hex'),
    ADMIN_TOKEN: randomBytes(ADMIN_TOKEN_BYTES).toString('hex'),
  };
}

/** Returns the path of the file with the secrets of a data folder. */
export function secretsFile(folder: string): string {
  return join(folder, 'secrets.json');
}

/**
 * Reads the secrets of a data folder. The first call creates them, and tokens stay valid across restarts.
 *
 * @param folder the data folder; it is created if need be
 * @throws when the file exists but can't be read, or lacks a secret
 */
export async function readOrCreateSecrets(folder: string): Promise<Secrets> {
  const file = secretsFile(folder);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(file, `${JSON.stringify(createSecrets(), null, 2)}\n`, { flag: 'wx', mode: FILE_MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const kept: Partial<Secrets> = JSON.parse(await readFile(file, 'utf8'));
  if (!kept.AUTH_SECRET || !kept.ADMIN_TOKEN) {
    throw new Error(`${file} lacks a secret: remove the file, and the next start creates new ones`);
  }
  return { AUTH_SECRET: kept.AUTH_SECRET, ADMIN_TOKEN: kept.ADMIN_TOKEN };
}

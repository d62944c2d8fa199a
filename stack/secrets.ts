import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Only its owner may read it. */
const FILE_MODE = 0o600;
const AUTH_SECRET_BYTES = 32;
const ADMIN_TOKEN_BYTES = 16;

/** What a stack signs buyers' tokens with, and what opens its admin. */
export interface Secrets {
  AUTH_SECRET: string;
  ADMIN_TOKEN: string;
}

/** Secrets that nobody else has. */
export function newSecrets(): Secrets {
  return {
    AUTH_SECRET: randomBytes(AUTH_SECRET_BYTES).toString('hex'),
    ADMIN_TOKEN: randomBytes(ADMIN_TOKEN_BYTES).toString('hex'),
  };
}

/**
 * @param folder the data folder of the stack
 * @returns where its secrets are kept
 */
export function secretsFile(folder: string): string {
  return join(folder, 'secrets.json');
}

/**
 * The secrets of a data folder, made with the first start: tokens stay valid across restarts.
 * @param folder created if need be
 * @throws when the file is there but can't be read, or says something else
 */
export async function keptSecrets(folder: string): Promise<Secrets> {
  const file = secretsFile(folder);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(file, `${JSON.stringify(newSecrets(), null, 2)}\n`, { flag: 'wx', mode: FILE_MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const kept: Partial<Secrets> = JSON.parse(await readFile(file, 'utf8'));
  if (!kept.AUTH_SECRET || !kept.ADMIN_TOKEN) throw new Error(`${file} lacks a secret: remove it, a new one is made`);
  return { AUTH_SECRET: kept.AUTH_SECRET, ADMIN_TOKEN: kept.ADMIN_TOKEN };
}

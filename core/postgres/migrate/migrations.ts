import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../process/checkout.js';

/** The folder with the migrations of this build. Each migration is a folder in it, with a file migration.sql. */
export const MIGRATIONS = join(checkout, 'prisma', 'migrations');

/** The first line of a migration.sql that holds one statement which Postgres refuses to run in a transaction. */
const OUTSIDE_A_TRANSACTION = /^-- outside a transaction\r?\n/;

/** One change of the database schema. */
export interface Migration {
  /** The name of the migration's folder; migrations are applied in the order of these names. */
  name: string;
  script: string;
  /** Whether the script is one statement that runs without a transaction, such as CREATE INDEX CONCURRENTLY. */
  outsideTransaction: boolean;
}

/**
 * Reads the migrations of a folder.
 *
 * @param folder laid out as {@link MIGRATIONS}
 * @returns the migrations, oldest first
 * @throws Error when a migration's folder has no migration.sql
 */
export function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map(name => {
      const script = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
      return { name, script, outsideTransaction: OUTSIDE_A_TRANSACTION.test(script) };
    });
}

/**
 * Computes the checksum that Prisma records for a migration's script: SHA-256 of its text in UTF-8, as 64 lower-case
 * hexadecimal digits (prisma/prisma-engines, schema-engine/connectors/schema-connector/src/checksum.rs).
 */
export function checksumOf(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}

/**
 * Compares a migration's script with its recorded checksum. As in Prisma's checksum.rs, Unix and Windows line ends
 * count as the same, because git converts them.
 *
 * @returns whether the script is the one that was recorded
 */
export function matchesChecksum(script: string, checksum: string): boolean {
  const unix = script.replaceAll('\r\n', '\n');
  return [script, unix, unix.replaceAll('\n', '\r\n')].some(text => checksumOf(text) === checksum);
}

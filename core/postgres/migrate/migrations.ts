import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../process/checkout.js';

/** The folder with the migrations of this build: one folder each, with a file migration.sql. */
export const MIGRATIONS = join(checkout, 'prisma', 'migrations');

/** The first line of a migration.sql whose one statement Postgres refuses to run in a transaction. */
const OUTSIDE_A_TRANSACTION = /^-- outside a transaction\r?\n/;

/** One change of the schema. */
export interface Migration {
  /** The name of its folder; migrations are applied in the order of their names. */
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
 * @throws when a folder in it has no migration.sql
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
 * Computes the checksum that Prisma records for a script: SHA-256 of its text in UTF-8, as 64 lower-case hexadecimal digits
 * (prisma/prisma-engines, schema-engine/connectors/schema-connector/src/checksum.rs).
 */
export function checksumOf(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}

/**
 * Compares a script with a recorded checksum. As in Prisma's checksum.rs, line ends may be Unix's or Windows's, because git
 * converts them.
 *
 * @returns whether the script is the one that was recorded
 */
export function matchesChecksum(script: string, checksum: string): boolean {
  const unix = script.replaceAll('\r\n', '\n');
  return [script, unix, unix.replaceAll('\n', '\r\n')].some(text => checksumOf(text) === checksum);
}

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MIGRATIONS, readMigrations } from '#core/postgres/migrate/migrations.js';
import { checkout } from '#core/process/checkout.js';
import { withSchemaEngine } from './schema-engine.js';

// Three questions about a database, which Prisma's own engine answers.

const LOCK_FILE = 'migration_lock.toml';
const SCHEMA = join(checkout, 'prisma', 'schema.prisma');
const EVERYTHING = { externalTables: [], externalEnums: [] };

/** The text of schema.prisma. */
export const OUR_SCHEMA = readFileSync(SCHEMA, 'utf8');

/** The project's migrations in the form that the engine takes. */
function migrationsList() {
  return {
    baseDir: MIGRATIONS,
    lockfile: { path: LOCK_FILE, content: readFileSync(join(MIGRATIONS, LOCK_FILE), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: readMigrations(MIGRATIONS).map(({ name, script }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: script } },
    })),
  };
}

/**
 * Applies the project's migrations as `prisma migrate deploy` does.
 *
 * @returns the names of the migrations that the engine applied
 */
export async function deployByEngine(url: string): Promise<string[]> {
  const done = await withSchemaEngine(url, engine =>
    engine.applyMigrations({ migrationsList: migrationsList(), filters: EVERYTHING }),
  );
  return done.appliedMigrationNames;
}

/**
 * Compares a database's record of migrations with the project's, as `prisma migrate status` does.
 *
 * @returns the migrations that the engine finds pending, failed and edited
 */
export async function diagnoseByEngine(url: string) {
  const { history, failedMigrationNames, editedMigrationNames } = await withSchemaEngine(url, engine =>
    engine.diagnoseMigrationHistory({
      migrationsList: migrationsList(),
      optInToShadowDatabase: false,
      filters: EVERYTHING,
    }),
  );
  return { history, failedMigrationNames, editedMigrationNames };
}

/**
 * Compares a migrated database with schema.prisma. The engine skips everything that Prisma's schema can't express: CHECKs,
 * triggers and partial indexes.
 *
 * @param schema the text of schema.prisma
 * @returns the SQL that would change the database to match the schema; empty when both agree
 */
export async function driftOf(url: string, schema = OUR_SCHEMA): Promise<string> {
  const files = [{ path: SCHEMA, content: schema }];
  const { stdout } = await withSchemaEngine(url, engine =>
    engine.diff({
      from: { tag: 'schemaDatasource', configDir: dirname(SCHEMA), files },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: EVERYTHING,
    }),
  );
  const sql = stdout ?? '';
  return sql.trim() === '-- This is an empty migration.' ? '' : sql;
}

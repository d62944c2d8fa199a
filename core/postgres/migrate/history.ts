import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { checksumOf, type Migration } from './migrations.js';

// This file reads and writes the table _prisma_migrations, which Prisma's own commands use, too.

/** One row of _prisma_migrations: a migration that began in this database. */
export interface HistoryEntry {
  name: string;
  checksum: string;
  /** False for a migration that began and did not end. */
  finished: boolean;
}

/** The table exactly as Prisma 7.10 creates it (prisma/prisma-engines, schema-engine, the Postgres flavour). */
const CREATE_TABLE = `
  CREATE TABLE _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Reads which migrations the database has, and creates the table _prisma_migrations in an empty database. If the table
 * exists, the right to read it is enough.
 *
 * @param client a session that holds the migration lock
 * @returns every migration that began and was not rolled back
 * @throws Error when the schema has tables but no _prisma_migrations, as it belongs to another program
 */
export async function readHistory(client: pg.Client): Promise<HistoryEntry[]> {
  const { rows } = await client.query<{ exists: boolean; tables: boolean }>(`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists,
           EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema()) AS tables`);
  if (!rows[0]?.exists) {
    if (rows[0]?.tables) throw new Error('it holds tables, but no _prisma_migrations: use a database of its own');
    await client.query(CREATE_TABLE);
    return [];
  }
  const history = await client.query<HistoryEntry>(`
    SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
    FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`);
  return history.rows;
}

/**
 * Records that a migration begins.
 *
 * @returns the id of the migration's row, for {@link recordFinish}
 */
export async function recordStart(client: pg.Client, { name, script }: Migration): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, clock_timestamp())`,
    [id, checksumOf(script), name],
  );
  return id;
}

/** Records that a migration is complete, with a step count of 1, because Prisma counts a script as one step. */
export async function recordFinish(client: pg.Client, id: string): Promise<void> {
  await client.query(
    `UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1`,
    [id],
  );
}

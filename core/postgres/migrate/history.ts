import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { checksumOf, type Migration } from './migrations.js';

// The table _prisma_migrations, which Prisma's own commands read and write, too.

/** The record of one migration in the database. */
export interface HistoryEntry {
  name: string;
  checksum: string;
  /** False for a migration that began and did not end. */
  finished: boolean;
}

/** Prisma 7.10 creates exactly this (prisma/prisma-engines, schema-engine, the Postgres flavour). */
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
 * Reads which migrations the database has, and creates the table for them in an empty database. A user who may only read the
 * table can call it.
 *
 * @param client a session with the migration lock
 * @returns every migration that began and was not rolled back
 * @throws when the schema holds tables of something else
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
 * @returns the id of its row, for {@link recordFinish}
 */
export async function recordStart(client: pg.Client, { name, script }: Migration): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, clock_timestamp())`,
    [id, checksumOf(script), name],
  );
  return id;
}

/** Records that a migration is complete. Prisma counts a script as one step. */
export async function recordFinish(client: pg.Client, id: string): Promise<void> {
  await client.query(
    `UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1`,
    [id],
  );
}

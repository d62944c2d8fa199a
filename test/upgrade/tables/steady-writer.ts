import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { pauseUntil } from '#stack/processes/pause.js';

/** Between two looks at who waits for a lock, in ms: much less than the second that a writer may be held for. */
const LOOK_EVERY_MS = 10;

/** Writes that must have been made before and after the work, so that the writer is known to be alive. */
const WRITES_AROUND = 20;

const CONNECT_DEADLINE_MS = 5_000;

/** The report of a writer that ran beside a change of the tables. */
export interface WriterReport {
  /** The number of statements carried out during the change. */
  writes: number;
  /** For how long it waited for a lock at most, in ms. */
  heldMs: number;
}

/**
 * Writes into every large table, one statement after the other, while something is done to the tables. Only waiting for a lock
 * counts as being held: on a busy machine a statement may take a second for other reasons.
 *
 * @param databaseUrl where the tables are
 * @param statements what is written, again and again; each may be repeated
 * @param work done meanwhile
 * @returns how the writer fared
 * @throws what a statement or the work throws
 */
export async function whileWriting(
  databaseUrl: string,
  statements: readonly string[],
  work: () => Promise<unknown>,
): Promise<WriterReport> {
  const over = new AbortController();
  const [writer, watcher] = [await connect(databaseUrl), await connect(databaseUrl)];
  const counter = { writes: 0 };
  const writing = write(writer, statements, counter, over.signal);
  const watching = watch(watcher, writer, over.signal);
  try {
    await untilWrites(counter, WRITES_AROUND, writing);
    const before = counter.writes;
    await work();
    const writes = counter.writes - before;
    await untilWrites(counter, counter.writes + WRITES_AROUND, writing);
    over.abort();
    await writing;
    return { writes, heldMs: await watching };
  } finally {
    over.abort();
    await Promise.allSettled([writing, watching]);
    await Promise.all([writer.end(), watcher.end()]);
  }
}

async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_DEADLINE_MS });
  await client.connect();
  return client;
}

async function write(
  client: pg.Client,
  statements: readonly string[],
  counter: { writes: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const statement of statements) {
      await client.query(statement);
      counter.writes += 1;
    }
  }
}

/** A writer that fails would be waited for in vain. */
async function untilWrites(counter: { writes: number }, wanted: number, writing: Promise<void>): Promise<void> {
  while (counter.writes < wanted) await Promise.race([pause(LOOK_EVERY_MS), writing]);
}

/** Postgres itself says since when a connection has waited for a lock. */
async function watch(client: pg.Client, writer: pg.Client, signal: AbortSignal): Promise<number> {
  const { rows } = await writer.query('SELECT pg_backend_pid() AS pid');
  const sql = `SELECT extract(epoch FROM max(clock_timestamp() - waitstart)) * 1000 AS held
               FROM pg_locks WHERE pid = $1 AND NOT granted`;
  let heldMs = 0;
  while (!signal.aborted) {
    const look = await client.query(sql, [rows[0].pid]);
    heldMs = Math.max(heldMs, Math.round(Number(look.rows[0].held ?? 0)));
    await pauseUntil(LOOK_EVERY_MS, signal);
  }
  return heldMs;
}

import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { connectDatabase, type Database } from '#core/postgres/database.js';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../../support/eventually.js';
import { promote, startStandby } from '../../support/postgres/standby.js';
import { startFaultProxy } from '../../support/stores/fault-proxy.js';

// Two servers of DATABASE_URL take writes, because nobody stopped the old primary after a promotion. A process that went
// between the two would write an order into one, and its money into the other.

const WRITERS = 4;
const SOME = 40;

let folder: string;
let old: PostgresServer;
let other: PostgresServer | undefined;
let db: Database | undefined;
let isOver: boolean;
let writers: Promise<unknown> | undefined;
beforeEach(async () => {
  isOver = false;
  folder = await createTemporaryFolder();
  old = await startPostgres({ dir: join(folder, 'old') });
  await ask(old.url, 'CREATE TABLE marks (id serial PRIMARY KEY)');
}, 120_000);
afterEach(async () => {
  isOver = true;
  await writers;
  await db?.$disconnect();
  await other?.stop();
  await old?.stop();
  await removeTemporaryFolder(folder);
});

/** Runs a statement in a session of its own. */
async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** Ends one connection of a writer. */
const ONE_CONNECTION_LOST = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO marks%' LIMIT 1`;

/** Connects to several ports as one address. */
function connectTo({ user = 'postgres' }, ...ports: number[]): Database {
  const hosts = ports.map(port => `127.0.0.1:${port}`).join(',');
  const url = old.url.replace(/postgres@127\.0\.0\.1:\d+/, `${user}@${hosts}`);
  db = connectDatabase(url, { connections: WRITERS });
  return db;
}

/** Writes a row, and returns the port of the server that has it. */
async function write(to: Database): Promise<number> {
  const rows = await to.$queryRaw<
    { port: number }[]
  >`INSERT INTO marks DEFAULT VALUES RETURNING inet_server_port() AS port`;
  return Number(rows[0]?.port);
}

/** Lets a standby of the old server become a primary beside it. The old one waits for no standby, so it takes writes on. */
async function promoteBeside(): Promise<PostgresServer> {
  const standby = await startStandby(old.url, { dir: join(folder, 'standby') });
  other = standby;
  await ask(old.url, `ALTER SYSTEM SET synchronous_standby_names = ''`);
  await ask(old.url, 'SELECT pg_reload_conf()');
  return standby;
}

test.each([
  ['the age of its connections', async () => undefined],
  ['a new connection', () => ask(old.url, ONE_CONNECTION_LOST)],
])(
  'a process notices a promotion by %s, and leaves the old primary for good, although it takes writes',
  async (_, lose) => {
    const standby = await promoteBeside();
    const both = connectTo({}, old.port, standby.port);
    /** The ports of all writes in the order of their ends, each with the number of writes that had ended when it began. */
    const writes: { after: number; port: number }[] = [];
    const writer = async () => {
      while (!isOver) {
        const after = writes.length;
        const port = await write(both).catch(error => {
          if (!isDatabaseAway(error)) throw error;
        });
        if (port) writes.push({ after, port });
      }
    };
    writers = Promise.all(Array.from({ length: WRITERS }, writer));
    await eventually(() => expect(writes.length).toBeGreaterThan(SOME));
    await promote(standby.url);
    await lose();
    const firstOnNew = () => writes.findIndex(({ port }) => port === standby.port);
    await eventually(() => expect(firstOnNew()).toBeGreaterThan(0));
    await eventually(() => expect(writes.length).toBeGreaterThan(firstOnNew() + SOME));
    isOver = true;
    await writers;
    const later = writes.filter(({ after }) => after > firstOnNew());
    expect(new Set(later.map(({ port }) => port))).toEqual(new Set([standby.port]));

    await standby.kill();
    await eventually(() => expect(write(both)).rejects.toThrow('from before the promotion'));
    for (let i = 0; i < SOME; i += 1) await expect(write(both)).rejects.toThrow('from before the promotion');
    other = await startPostgres({ dir: join(folder, 'standby'), port: standby.port });
    expect(await eventually(() => write(both))).toBe(standby.port);
  },
  180_000,
);

test('of two primaries without a promotion between them, none is used', async () => {
  other = await startPostgres({ dir: join(folder, 'stranger') });
  const both = connectTo({}, old.port, other.port);
  for (let i = 0; i < 5; i += 1) await expect(write(both)).rejects.toThrow('none was promoted after the others');
}, 120_000);

test('two addresses of one server are one primary, also for a role without rights of an operator', async () => {
  await ask(old.url, 'CREATE ROLE plain LOGIN; GRANT INSERT ON marks TO plain; GRANT USAGE ON marks_id_seq TO plain');
  const link = await startFaultProxy(old.url);
  const both = connectTo({ user: 'plain' }, Number(new URL(link.through(old.url)).port), old.port);
  expect(await write(both)).toBe(old.port);
  await link.close();
}, 120_000);

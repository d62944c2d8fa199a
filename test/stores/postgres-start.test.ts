import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { connectDatabase } from '#core/postgres/database.js';
import { reasonAgainstDatabase } from '#core/postgres/fitness.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { freePort } from '#stack/processes/free-port.js';
import { type StackProcess, startProcess } from '#stack/processes/process.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { build } from '../support/build.js';
import { cli, run } from '../support/command.js';
import { eventually } from '../support/eventually.js';

// The start of the processes: what they refuse, and what they wait for.

let stores: PrivateStores;
const children: StackProcess[] = [];
beforeAll(async () => {
  await build();
  stores = await startPrivateStores();
}, 120_000);
afterEach(async () => {
  await Promise.all(children.splice(0).map(child => child.kill()));
});
afterAll(() => stores?.stop());

const SECRETS = { AUTH_SECRET: 'x'.repeat(32), ADMIN_TOKEN: 'abcdefghijklmnop-1' };
const PROCESSES = ['worker', 'api', 'admin'] as const;

/** Starts a process that serves its metrics while it waits, and returns it with the address of its readiness. */
async function start(name: (typeof PROCESSES)[number], settings: Record<string, string>) {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const env = { METRICS_PORT: port, METRICS_HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'silent' };
  const child = await startProcess({
    name,
    environment: { ...env, ...SECRETS, ...settings },
    ready: { url: `${url}/metrics` },
  });
  children.push(child);
  return { child, url };
}

async function reasonsOf(url: string): Promise<unknown> {
  const response = await fetch(`${url}/readyz`);
  return ((await response.json()) as { reasons?: unknown }).reasons;
}

test.each([
  ['Redis', () => ({ REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: stores.databaseUrl })],
  ['Postgres', () => ({ REDIS_URL: stores.redisUrl, DATABASE_URL: 'postgres://127.0.0.1:1/none' })],
])('a worker that waits for %s ends in order at SIGTERM', async (_, settings) => {
  const { child, url } = await start('worker', settings());
  expect(await reasonsOf(url)).toEqual(expect.anything());
  // Without a handler the signal itself ends a process, and the first process of a container does not end at all.
  expect(await child.stop()).toEqual({ code: 0, signal: null });
});

test.each(['api', 'admin'] as const)('the %s ends at SIGTERM while its stores are away', async name => {
  const { child } = await start(name, {
    REDIS_URL: 'redis://127.0.0.1:1',
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
  });
  expect(await child.stop()).toMatchObject({ signal: null });
});

test('a worker is not ready before the database is migrated, and while it is read-only', async () => {
  const DATABASE_URL = await stores.postgres.createDatabase('later');
  const { child, url } = await start('worker', { REDIS_URL: stores.redisUrl, DATABASE_URL });
  await eventually(async () =>
    expect(await reasonsOf(url)).toContain('the database has no tables yet: run `npm run cli -- migrate` first'),
  );
  await migrate(DATABASE_URL);
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));

  const owner = new pg.Client({ connectionString: stores.databaseUrl });
  await owner.connect();
  const restart = () => owner.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'later'`);
  await owner.query('ALTER DATABASE later SET default_transaction_read_only = on');
  await restart();
  await eventually(async () =>
    expect(await reasonsOf(url)).toContain('Postgres takes no writes: it is a standby, or read-only'),
  );
  const refused = await cli(['credit', '--buyer', 'ann', '--amount', '1'], { DATABASE_URL });
  expect(refused).toMatchObject({ exitCode: 1, stderr: 'Postgres takes no writes: it is a standby, or read-only\n' });
  await owner.query('ALTER DATABASE later RESET default_transaction_read_only');
  // The connections to the server that was read-only are left without help.
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
  await owner.end();
  expect(await child.stop()).toMatchObject({ code: 0, signal: null });
});

test('the role of the processes needs the rights on new tables', async () => {
  await migrate(stores.databaseUrl);
  const owner = new pg.Client({ connectionString: stores.databaseUrl });
  await owner.connect();
  await owner.query('CREATE ROLE poor LOGIN; GRANT SELECT ON sales TO poor');
  await owner.end();
  const db = connectDatabase(stores.databaseUrl.replace('postgres@', 'poor@'), { connections: 1 });
  expect(await reasonAgainstDatabase(db)).toBe('the role lacks rights on new tables: run deploy/postgres/rights.sql');
  await db.$disconnect();
});

test.each(PROCESSES.filter(name => name !== 'api'))('the %s refuses a wrong address in one line', async name => {
  const password = 'hunter2canary';
  const env = { REDIS_URL: stores.redisUrl, DATABASE_URL: `postgres://u:a/${password}@h/d`, ...SECRETS };
  const { exitCode, stderr } = await run(`apps/${name}/main`, [], env);
  expect({ exitCode, lines: stderr.trim().split('\n').length }).toEqual({ exitCode: 1, lines: 1 });
  expect(stderr).toMatch(/^\w+: DATABASE_URL must be a URL like .*URL-encoded/);
  expect(stderr).not.toContain('hunter2');
});

test('two schemas of one database are two Droplines', async () => {
  const [one, two] = ['drop_one', 'Drop_two'].map(
    schema => `${stores.databaseUrl}?schema=${encodeURIComponent(schema)}`,
  ) as [string, string];
  expect((await migrate(one)).applied[0]).toBe('0001_init');
  expect((await migrate(two)).applied[0]).toBe('0001_init');
  expect(await migrate(two)).toEqual({ applied: [] });
  const [first, second] = [one, two].map(url => connectDatabase(url, { connections: 2 })) as [
    ReturnType<typeof connectDatabase>,
    ReturnType<typeof connectDatabase>,
  ];
  await second.account.create({ data: { kind: 'buyer', owner: 'ann', currency: 'EUR', balanceMinor: 5n } });
  expect([await first.account.count(), await second.account.count()]).toEqual([0, 1]);
  const [row] = await second.$queryRaw<{ count: bigint }[]>`SELECT count(*) FROM accounts WHERE owner = ${'ann'}`;
  expect(row?.count).toBe(1n);
  await Promise.all([first.$disconnect(), second.$disconnect()]);
});

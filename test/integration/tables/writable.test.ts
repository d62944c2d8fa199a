import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { planConnections } from '#core/postgres/connection/plan.js';
import { statementSettings } from '#core/postgres/connection/settings.js';
import { NoWritableServer, readWritable } from '#core/postgres/connection/writable.js';
import { freePort } from '#stack/processes/free-port.js';
import { eventually } from '../../support/eventually.js';
import { type FaultProxy, startFaultProxy } from '../../support/stores/fault-proxy.js';
import { createEmptyDatabase } from '../../support/stores/shared-postgres.js';

// Which server of an address takes writes.

/** Each byte takes this long to the other side, in ms: long enough to see a question before its answer arrives. */
const LATENCY_MS = 600;
const PATIENCE_MS = 3_000;

let url: string;
let port: number;
let open: { close(): unknown }[] = [];

beforeAll(async () => {
  url = await createEmptyDatabase();
  port = Number(new URL(url).port);
});
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

/** Reads the writable server of an address with several ports, which leads to one database. */
function readFrom(ports: readonly number[], { database = url, name = 'writable', waitMs = PATIENCE_MS } = {}) {
  const address = database.replace(/127\.0\.0\.1:\d+/, ports.map(one => `127.0.0.1:${one}`).join(','));
  const config = planConnections(`${address}?application_name=${name}`, statementSettings, waitMs);
  return { config, found: readWritable(config) };
}

const refusalOf = (found: Promise<unknown>) =>
  found.then(
    () => undefined,
    (error: unknown) => error,
  );

async function ask<T extends object>(statement: string, ...values: string[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(statement, values)).rows;
  } finally {
    await client.end();
  }
}

const sessionsOf = (name: string) =>
  ask<{ query: string }>('SELECT query FROM pg_stat_activity WHERE application_name = $1', name);

async function proxied(): Promise<FaultProxy> {
  const proxy = await startFaultProxy(url);
  open.push(proxy);
  return proxy;
}

/** Starts a server that takes connections and never says a word. */
async function startSilent(): Promise<number> {
  const server = createServer(socket => open.push({ close: () => socket.destroy() })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return (server.address() as AddressInfo).port;
}

const hostAt = (port: number) => ({ host: '127.0.0.1', hostaddr: undefined, port });

test('the only server of an address is not asked', async () => {
  const nowhere = await freePort();
  expect(await readFrom([nowhere]).found).toEqual({ server: hostAt(nowhere), timeline: 0 });
});

test('the server that takes writes is found beside one that is away, and its session ends', async () => {
  const nowhere = await freePort();
  for (const ports of [
    [nowhere, port],
    [port, nowhere],
  ]) {
    const found = await readFrom(ports, { name: 'beside' }).found;
    expect(found).toMatchObject({ server: hostAt(port), timeline: expect.any(Number) });
    expect(found.timeline).toBeGreaterThan(0);
  }
  await eventually(async () => expect(await sessionsOf('beside')).toEqual([]));
});

test('two addresses of one server are no rivals, and the same choice is made again', async () => {
  const proxy = await proxied();
  const { config, found } = readFrom([port, proxy.port]);
  const first = await found;
  expect([port, proxy.port]).toContain(first.server.port);
  expect((await readWritable(config)).timeline).toBe(first.timeline);
});

test('servers that are away or silent are named with their reasons', async () => {
  const [nowhere, silent] = [await freePort(), await startSilent()];
  const error = await refusalOf(readFrom([nowhere, silent], { waitMs: 300 }).found);
  expect(error).toBeInstanceOf(NoWritableServer);
  expect(error).toMatchObject({ name: 'NoWritableServer' });
  expect((error as Error).message).toMatch(
    new RegExp(
      `^no server of DATABASE_URL takes writes \\(127\\.0\\.0\\.1:${nowhere}: .*ECONNREFUSED.*; 127\\.0\\.0\\.1:${silent}: .*timeout.*\\)$`,
    ),
  );
});

test('a silent server delays no answer for long, and is not chosen', async () => {
  const silent = await startSilent();
  expect(await readFrom([silent, port], { waitMs: 60_000 }).found).toMatchObject({ server: hostAt(port) });
});

test('a server that is read-only takes no writes', async () => {
  const database = await createEmptyDatabase();
  await ask(`ALTER DATABASE ${new URL(database).pathname.slice(1)} SET default_transaction_read_only = on`);
  const error = await refusalOf(readFrom([port, (await proxied()).port], { database }).found);
  expect((error as Error).message).toMatch(/takes writes \(.*: it is read-only; .*: it is read-only\)$/);
});

test('a server of another cluster than before may not be used', async () => {
  const { config, found } = readFrom([port, await freePort()]);
  await found;
  const other = { server: hostAt(1), cluster: 'another', timeline: 9, startedAt: '1' };
  const fresh = planConnections('postgres://h/d', statementSettings).plan.primary;
  fresh.choose([other]);
  const error = await refusalOf(readWritable({ ...config, plan: { ...config.plan, primary: fresh } }));
  expect(error).toBeInstanceOf(NoWritableServer);
  expect((error as Error).message).toMatch(
    /^no server of DATABASE_URL takes writes that may be used \(127\.0\.0\.1:\d+: another cluster than before/,
  );
});

test('a server that is lost between the question and the answer is one that is away', async () => {
  const [proxy, nowhere] = [await proxied(), await freePort()];
  proxy.set({ kind: 'latency', ms: LATENCY_MS });
  const refused = refusalOf(readFrom([proxy.port, nowhere], { name: 'lost' }).found);
  await eventually(async () =>
    expect((await sessionsOf('lost')).map(({ query }) => query).join()).toContain('pg_control_system'),
  );
  proxy.set({ kind: 'reset' });
  expect(await refused).toBeInstanceOf(NoWritableServer);
});

import { migrate } from '#core/postgres/migrate/migrate.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { freePort } from '#stack/processes/free-port.js';
import { createSecrets, type Secrets } from '#stack/secrets.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { startShop, type TestShop } from '../../support/http/shop.js';
import { createQuery, type Query } from '../workload/query.js';
import { type Breakable, type BreakableOptions, startBreakable } from './breakable.js';

/** The stores of many cases, one after the other. */
export interface CrashRig {
  stores: PrivateStores;
  connections: Connections;
  query: Query;
  secrets: Secrets;
  /** The provider and the shop never fail: in reality they are other companies' machines. */
  fake: FakeProvider;
  shop: TestShop;
  close(): Promise<void>;
}

/** Starts private stores with migrated tables, a provider and a shop. */
export async function startCrashRig(): Promise<CrashRig> {
  const stores = await startPrivateStores();
  await migrate(stores.databaseUrl);
  const connections = await connectStores(stores.redisUrl, stores.databaseUrl);
  // Port 9 discards: the address for events is known once there is an API.
  const [fake, shop] = [await startFakeProvider('http://127.0.0.1:9/'), await startShop()];
  return {
    stores,
    connections,
    query: createQuery(stores.databaseUrl),
    secrets: createSecrets(),
    fake,
    shop,
    async close() {
      await fake.stop();
      shop.server.close();
      await connections.close();
      await stores.stop();
    },
  };
}

/** The processes that have crash points. */
export type ProcessName = BreakableOptions['name'];

/** A process of a case. */
export interface CaseProcess {
  name: ProcessName;
  /** Further environment. */
  settings: Record<string, string>;
  crashAt: string;
}

/** Starts a process on the stores of a rig, and returns it with its address. */
export async function startOnRig(
  { stores, secrets, fake }: CrashRig,
  { name, settings, crashAt }: CaseProcess,
): Promise<{ url: string; process: Breakable }> {
  const port = await freePort();
  const [url, redis, database] = [`http://127.0.0.1:${port}`, stores.redisUrl, stores.databaseUrl];
  const environments: Record<ProcessName, Record<string, string>> = {
    api: { REDIS_URL: redis, AUTH_SECRET: secrets.AUTH_SECRET, PORT: `${port}`, HOST: '127.0.0.1', ...fake.settings },
    worker: { REDIS_URL: redis, DATABASE_URL: database, METRICS_PORT: `${port}`, ...fake.settings },
    admin: { REDIS_URL: redis, DATABASE_URL: database, ...secrets, ADMIN_PORT: `${port}` },
  };
  const readyUrl = `${url}/${name === 'worker' ? 'metrics' : 'healthz'}`;
  const environment = { ...environments[name], ...settings };
  return { url, process: await startBreakable({ name, environment, readyUrl, crashAt }) };
}

import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { createSecrets } from '#stack/secrets.js';
import { startPrivateStores } from '#stack/stores/private-stores.js';
import type { SaleFacts } from '../chaos/history/claim-view.js';
import { History } from '../chaos/history/history.js';
import type { Client } from '../chaos/workload/client.js';
import { createQuery, type Query } from '../chaos/workload/query.js';
import { Random } from '../chaos/workload/random.js';
import { createFrontDoor } from './buyers/front-door.js';
import type { SaleWish } from './buyers/sales.js';
import type { Form } from './forms.js';
import { Fleet } from './rig/fleet.js';
import { prepareOldTree } from './rig/old-tree.js';
import { cli, type Version } from './rig/version.js';

/** Redis may have been started a moment ago, on a busy machine, in ms. */
const READY_MS = 60 * SECOND_MS;

export interface UpgradeOptions {
  /** The full hash of the old version. */
  commit: string;
  form: Form;
  /** The same seed has the same order of replacements, and buyers with the same plans. */
  seed: number;
}

/** Everything that takes part in an upgrade. */
export interface Upgrade {
  form: Form;
  old: Version;
  new: Version;
  redis: Redis;
  /** Runs plain SQL. */
  query: Query;
  /** The payment provider, which is nobody's version. */
  fake: FakeProvider;
  fleet: Fleet;
  history: History;
  client: Client;
  /** Chooses the order of the replacements. */
  order: Random;
  /** Chooses what buyers do. */
  buyers: Random;
  /** The addresses of the stores, for commands. */
  environment: Record<string, string>;
  /** Every sale that was made. */
  sales: SaleFacts[];
  /** The same sales with the buyers they draw. */
  wishes: SaleWish[];
  /** Where the history is, and the logs in a folder of their own. */
  folder: string;
  /** Told in one line of each step. */
  tell(line: string): void;
}

/** The steps that end an upgrade. The last one runs first. */
export type Endings = (() => Promise<unknown>)[];

/**
 * Starts private stores, a provider, and the old version on tables of its own.
 *
 * @param options from which commit, and how much is tried
 * @param folder where the history and the logs go
 * @param endings gets what must be ended, as soon as it has been started
 * @param tell told in one line of each step
 * @returns the upgrade, before anything was replaced or sold
 */
export async function startUpgrade(
  { commit, form, seed }: UpgradeOptions,
  folder: string,
  endings: Endings,
  tell: (line: string) => void,
): Promise<Upgrade> {
  const random = (part: number) => new Random(seed * 10 + part);
  const history = new History(join(folder, 'history.jsonl'));
  endings.push(() => history.close());
  const { oldTree, fake, environment } = await startSurroundings(commit, endings);
  const old: Version = { name: 'old', folder: oldTree };
  tell('the old version migrates and starts');
  await cli(old, ['migrate'], environment);
  const { AUTH_SECRET } = createSecrets();
  const settings = { ...environment, AUTH_SECRET, ...fake.settings };
  const fleet = new Fleet({ settings, logs: join(folder, 'logs') });
  endings.push(() => fleet.stop());
  await fleet.start(old);
  const { baseUrls } = fleet;
  await fake.mood({ webhook: `${baseUrls[0]}/webhooks/payments/signed-webhook` });
  const client = createFrontDoor({ baseUrls, authSecret: AUTH_SECRET, history, random: random(1) });
  endings.push(() => client.close());
  const redis = connectRedis(environment.REDIS_URL, 'steps', () => undefined);
  defineScripts(redis);
  endings.push(async () => redis.disconnect());
  await waitUntilReady(redis, READY_MS);
  return {
    form,
    old,
    new: { name: 'new', folder: checkout },
    redis,
    query: createQuery(environment.DATABASE_URL),
    fake,
    fleet,
    history,
    client,
    order: random(2),
    buyers: random(3),
    environment,
    sales: [],
    wishes: [],
    folder,
    tell,
  };
}

/** The old tree, the stores and the provider; each takes some seconds, and none needs another. */
async function startSurroundings(commit: string, endings: Endings) {
  const keep = <T extends { stop(): Promise<unknown> }>(started: T): T => {
    endings.push(() => started.stop());
    return started;
  };
  const [oldTree, { redisUrl, databaseUrl }, fake] = await Promise.all([
    prepareOldTree(commit),
    startPrivateStores().then(keep),
    // Where its events go is known when the APIs are.
    startFakeProvider('http://127.0.0.1:9/').then(keep),
  ]);
  return { oldTree, fake, environment: { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } };
}

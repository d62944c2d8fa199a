import { join } from 'node:path';
import { pause } from '#core/clock.js';
import type { CrashMode, CrashPoint, CrashStep } from '#core/crash-point.js';
import { audit } from '#core/maintenance/audit.js';
import { migrate } from '#core/orders/migrate.js';
import { type Connections, openConnections } from '../../apps/stack/connections.js';
import { freePort } from '../../apps/stack/free-port.js';
import { type PrivateStores, startPrivateStores } from '../../apps/stack/private-stores.js';
import { newSecrets, type Secrets } from '../../apps/stack/secrets.js';
import { type Breakable, startBreakable } from './breakable.js';
import { checkHistory } from './check-history.js';
import type { SaleFacts } from './claim-view.js';
import { type Client, openClient } from './client.js';
import { doBusiness, leaveAMess } from './crash-scenario.js';
import { auditStores, readOrderFacts } from './final-audit.js';
import { type History, openHistory, operationsOf } from './history.js';
import { plainQuery } from './plain-query.js';
import { seededRandom } from './random.js';
import { comeToRest } from './rest.js';
import { factsOf, type Query } from './world.js';

/** Within this time after the process is whole again everything must hold, in ms (invariant 6). */
const WHOLE_WITHIN_MS = 15_000;

/** How long the place may take to be reached after the business is done, in ms: reconcile runs every 5 s. */
const REACH_MS = 8_000;

const RELEASE_WITHIN_MS = 30_000;
const LEAST_WAIT_MS = 1_000;

/** Stores for many cases, one after the other. */
export interface CrashRig {
  stores: PrivateStores;
  connections: Connections;
  query: Query;
  secrets: Secrets;
  close(): Promise<void>;
}

/** What came of one place and mode. */
export interface CrashResult {
  name: CrashPoint | CrashStep;
  mode: CrashMode;
  /** Whether the place was passed at all. */
  reached: boolean;
  /** From the moment that the process was whole again until everything was at rest, in ms. */
  restMs: number;
  violations: string[];
}

/** @returns private stores that are up to date */
export async function openCrashRig(): Promise<CrashRig> {
  const stores = await startPrivateStores();
  await migrate(stores.databaseUrl);
  const connections = await openConnections(stores.redisUrl, stores.databaseUrl);
  return {
    stores,
    connections,
    query: plainQuery(stores.databaseUrl),
    secrets: newSecrets(),
    async close() {
      await connections.close();
      await stores.stop();
    },
  };
}

const API_PLACES = /^(claim|status|receipt)\.|\.queue$|^(pay|cancel)\.queued$/;

/** Where a place is: all others are the worker's. */
const isApiPlace = (name: string): boolean => API_PLACES.test(name) && name !== 'release.queue';

/** One case under way. */
interface Attempt {
  rig: CrashRig;
  mode: CrashMode;
  history: History;
  client: Client;
}

/** The two processes of a case; the one that isn't meant has a place that nobody passes that often. */
const NEVER = 'status.read:throw:1000000';

async function startApi({ stores, secrets }: CrashRig, port: number, crashAt: string): Promise<Breakable> {
  const environment = {
    REDIS_URL: stores.redisUrl,
    AUTH_SECRET: secrets.AUTH_SECRET,
    PORT: `${port}`,
    HOST: '127.0.0.1',
  };
  return startBreakable('api', environment, `http://127.0.0.1:${port}/healthz`, crashAt);
}

async function startWorker({ stores }: CrashRig, crashAt: string): Promise<Breakable> {
  const port = await freePort();
  const environment = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, METRICS_PORT: `${port}` };
  return startBreakable('worker', environment, `http://127.0.0.1:${port}/metrics`, crashAt);
}

/**
 * Has a process fail at one place, in one way, in the middle of everything that can go on, and checks what is left.
 *
 * @param rig the stores
 * @param name the place
 * @param mode how it fails
 * @returns what came of it
 */
export async function runCrashCase(rig: CrashRig, name: CrashPoint | CrashStep, mode: CrashMode): Promise<CrashResult> {
  await rig.connections.redis.flushall();
  const history = openHistory(join(rig.stores.folder, 'history.jsonl'));
  const random = seededRandom(1);
  const [inApi, crashAt, port] = [isApiPlace(name), `${name}:${mode}:1`, await freePort()];
  const processes: Breakable[] = [];
  try {
    const api = await startApi(rig, port, inApi ? crashAt : NEVER);
    processes.push(api);
    const client = openClient([`http://127.0.0.1:${port}`], rig.secrets.AUTH_SECRET, history, random);
    const leftovers = await leaveAMess(rig.connections, client);
    const startedAt = Date.now();
    const worker = await startWorker(rig, inApi ? NEVER : crashAt);
    processes.push(worker);
    const sales = [...leftovers.sales, await doBusiness(rig.connections, client, random, leftovers)];
    const broken = inApi ? api : worker;
    if (name.startsWith('shutdown.')) broken.endInOrder();
    const fired = await untilFired(broken);
    const wholeMs = fired?.wholeMs ?? startedAt;
    const { restMs, violations } = await judgeCase({ rig, mode, history, client }, factsOf(sales), wholeMs);
    return { name, mode, reached: fired !== undefined, restMs, violations };
  } finally {
    await Promise.all(processes.map(process => process.stop()));
    await history.close();
  }
}

async function judgeCase(
  { rig, mode, history, client }: Attempt,
  sales: SaleFacts[],
  wholeMs: number,
): Promise<Pick<CrashResult, 'restMs' | 'violations'>> {
  const { connections, query } = rig;
  const limitMs = Math.max(LEAST_WAIT_MS, wholeMs + WHOLE_WITHIN_MS - Date.now());
  const unsettled = await comeToRest(connections, query, sales, limitMs);
  const restMs = Math.max(0, Date.now() - wholeMs);
  await client.close();
  const ids = sales.map(({ id }) => id);
  const broken = checkHistory({
    sales,
    operations: operationsOf(history.lines()),
    orders: (await readOrderFacts(query)).filter(({ saleId }) => ids.includes(saleId)),
    bank: [],
    payments: [],
    redisLostData: true,
    releaseWithinMs: RELEASE_WITHIN_MS,
  }).filter(({ rule }) => isMeant(rule, mode));
  const violations = [...unsettled.map(what => `rest: ${what}`), ...broken.map(({ rule, text }) => `${rule}: ${text}`)];
  for (const sale of sales) {
    violations.push(...(await auditStores(connections.redis, query, sale)));
    const proof = await audit(connections.db, connections.redis, sale.id);
    violations.push(...(proof?.violations ?? ['no such sale']).map(what => `audit: ${what}`));
  }
  // Out of sight of the next case's maintenance.
  const list = ids.map(id => `'${id}'`).join(', ');
  await query(`UPDATE sales SET opens_at = '2000-01-01', closes_at = '2000-01-02' WHERE id IN (${list})`);
  return { restMs, violations };
}

/** An order that was made by hand belongs to nobody who asked; and an API that is made to throw answers 500. */
function isMeant(rule: string, mode: CrashMode): boolean {
  if (rule === 'no_order_without_a_buyer' || rule === 'ended_by_its_buyer') return false;
  return rule !== 'no_surprise' || (mode !== 'throw' && mode !== 'reply-lost');
}

async function untilFired(process: Breakable): Promise<{ wholeMs: number } | undefined> {
  const endsAt = Date.now() + REACH_MS;
  while (!process.fired() && Date.now() < endsAt) await pause(50);
  return process.fired();
}

import { join } from 'node:path';
import { audit } from '#core/comparison/audit.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import type { CrashMode, CrashPoint, CrashStep } from '#core/process/crash-point.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { freePort } from '#stack/processes/free-port.js';
import { until } from '#stack/processes/until.js';
import { newSecrets, type Secrets } from '#stack/secrets.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { SHOP_SECRET, startShop, type TestShop } from '../../support/http/shop.js';
import { readPaymentFacts } from '../history/books.js';
import { checkHistory } from '../history/check-history.js';
import type { SaleFacts } from '../history/claim-view.js';
import type { Evidence } from '../history/evidence.js';
import { auditRows, auditStores, readOrderFacts } from '../history/final-audit.js';
import { type History, openHistory, operationsOf } from '../history/history.js';
import { plainQuery } from '../rig/plain-query.js';
import { comeToRest } from '../rig/rest.js';
import { type Client, openClient } from '../workload/client.js';
import { Random } from '../workload/random.js';
import { factsOf, type Query } from '../workload/world.js';
import { type Breakable, startBreakable } from './breakable.js';
import { checkShop, doBusinessElsewhere } from './crash-money.js';
import { doBusiness, type Leftovers, leaveAMess } from './crash-scenario.js';

/** Within this time after the process is whole again, and the buyers are done, everything must hold, in ms (invariant 6). */
const WHOLE_WITHIN_MS = 15_000;

/** How long the place may take to be reached after the business is done, in ms: reconcile runs every 5 s. */
const REACH_MS = 8_000;

/** A process that has failed is whole again within this time, in ms: stopped for 17 s, or started anew on a busy machine. */
const MEND_MS = 40_000;

const RELEASE_WITHIN_MS = 30_000;

/** Stores for many cases, one after the other. */
export interface CrashRig {
  stores: PrivateStores;
  connections: Connections;
  query: Query;
  secrets: Secrets;
  /** Both are somebody else's machines, and never fail. */
  fake: FakeProvider;
  shop: TestShop;
  close(): Promise<void>;
}

/** What came of one place and mode. */
export interface CrashResult {
  name: CrashPoint | CrashStep;
  mode: CrashMode;
  /** Whether the place was passed at all. */
  reached: boolean;
  /** From the moment that the process was whole again, and the buyers were done, until everything was at rest, in ms. */
  restMs: number;
  violations: string[];
}

/** @returns private stores that are up to date */
export async function openCrashRig(): Promise<CrashRig> {
  const stores = await startPrivateStores();
  await migrate(stores.databaseUrl);
  const connections = await connectStores(stores.redisUrl, stores.databaseUrl);
  // Where its events go is known when there is an API.
  const [fake, shop] = [await startFakeProvider('http://127.0.0.1:9/'), await startShop()];
  return {
    stores,
    connections,
    query: plainQuery(stores.databaseUrl),
    secrets: newSecrets(),
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

type ProcessName = 'api' | 'worker' | 'admin';

const API_PLACES = /^(claim|status|receipt)\.|\.queue$|^(pay|cancel|event)\.queued$/;
const ADMIN_PLACES = /^refund\.(end|ended)$/;

/** Which process a place is in. */
function processOf(name: string): ProcessName {
  if (ADMIN_PLACES.test(name)) return 'admin';
  return API_PLACES.test(name) && name !== 'release.queue' ? 'api' : 'worker';
}

/** Places that only somebody passes who pays at a provider, or is told of it: they have a business of their own. */
const MONEY_PLACES = /^(event|late|refund|ask|shop)\.|^pay\.(requested|create|open)$/;

/** One case under way. */
interface Attempt {
  rig: CrashRig;
  mode: CrashMode;
  history: History;
  client: Client;
  /** Starts a process, and gives its address. */
  start(name: ProcessName): Promise<string>;
}

/** The processes of a case that aren't meant have a place that nobody passes that often. */
const NEVER = 'status.read:throw:1000000';

async function startOne(
  rig: CrashRig,
  name: ProcessName,
  crashAt: string,
  settings: Record<string, string>,
): Promise<{ url: string; process: Breakable }> {
  const { stores, secrets, fake } = rig;
  const port = await freePort();
  const [url, redis, database] = [`http://127.0.0.1:${port}`, stores.redisUrl, stores.databaseUrl];
  const environments: Record<ProcessName, Record<string, string>> = {
    api: { REDIS_URL: redis, AUTH_SECRET: secrets.AUTH_SECRET, PORT: `${port}`, HOST: '127.0.0.1', ...fake.settings },
    worker: { REDIS_URL: redis, DATABASE_URL: database, METRICS_PORT: `${port}`, ...fake.settings },
    admin: { REDIS_URL: redis, DATABASE_URL: database, ...secrets, ADMIN_PORT: `${port}` },
  };
  const ready = `${url}/${name === 'worker' ? 'metrics' : 'healthz'}`;
  return { url, process: await startBreakable(name, { ...environments[name], ...settings }, ready, crashAt) };
}

/** The sales of a case, and those of them of which Redis lost data. */
type Business = Pick<Leftovers, 'sales' | 'lossy'>;

/** Buyers with a wallet, and what an outage has left behind. */
async function doOrdinaryBusiness({ rig, client, start }: Attempt): Promise<Business> {
  const leftovers = await leaveAMess(rig.connections, client);
  await start('worker');
  const sale = await doBusiness(rig.connections, client, new Random(1), leftovers);
  return { sales: [...leftovers.sales, sale], lossy: leftovers.lossy };
}

/** Buyers who pay at the provider, an operator, and a shop that wants to be told. */
async function doMoneyBusiness({ rig, client, history, start }: Attempt, apiUrl: string): Promise<Business> {
  const [url] = await Promise.all([start('admin'), start('worker')]);
  await rig.fake.mood({ webhook: `${apiUrl}/webhooks/payments/signed-webhook` });
  const admin = { url, token: rig.secrets.ADMIN_TOKEN };
  const sales = await doBusinessElsewhere(rig.connections, client, history, { fake: rig.fake, admin });
  return { sales, lossy: [] };
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
  // What an earlier case has left broken is not this one's.
  const brokenBefore = new Set(await auditRows(rig.query));
  const history = openHistory(join(rig.stores.folder, 'history.jsonl'));
  const processes = new Map<ProcessName, Breakable>();
  const isMoney = MONEY_PLACES.test(name);
  const shop = isMoney ? { SHOP_WEBHOOK_URL: rig.shop.url, SHOP_WEBHOOK_SECRET: SHOP_SECRET } : {};
  const start = async (process: ProcessName) => {
    const started = await startOne(rig, process, process === processOf(name) ? `${name}:${mode}:1` : NEVER, shop);
    processes.set(process, started.process);
    return started.url;
  };
  try {
    const apiUrl = await start('api');
    const client = openClient([apiUrl], rig.secrets.AUTH_SECRET, history, new Random(1));
    const attempt = { rig, mode, history, client, start };
    const business = await (isMoney ? doMoneyBusiness(attempt, apiUrl) : doOrdinaryBusiness(attempt));
    const doneMs = Date.now();
    const broken = processes.get(processOf(name));
    if (!broken) throw new Error(`nothing was started that has the place ${name}`);
    if (name.startsWith('shutdown.')) broken.endInOrder();
    const fired = await untilFired(broken);
    // Its first claim may be what it failed at: whatever buyers did after that has its own time to be carried out.
    const quietMs = Math.max(doneMs, fired?.wholeMs ?? 0);
    const { restMs, violations } = await judgeCase(attempt, business, quietMs, brokenBefore);
    return { name, mode, reached: fired !== undefined, restMs, violations };
  } finally {
    await Promise.all([...processes.values()].map(process => process.stop()));
    await history.close();
  }
}

async function judgeCase(
  { rig, mode, history, client }: Attempt,
  business: Business,
  quietMs: number,
  brokenBefore: Set<string>,
): Promise<Pick<CrashResult, 'restMs' | 'violations'>> {
  const { connections, query } = rig;
  const sales = factsOf(business.sales);
  const limitMs = quietMs + WHOLE_WITHIN_MS - Date.now();
  const ids = sales.map(({ id }) => id);
  const readOrders = async () => (await readOrderFacts(query)).filter(({ saleId }) => ids.includes(saleId));
  const readPayments = async () => {
    const own = new Set((await readOrders()).map(({ claimId }) => claimId));
    return (await readPaymentFacts(query, rig.fake)).filter(({ orderId }) => own.has(orderId));
  };
  const unsettled = await comeToRest(connections, query, sales, limitMs, readPayments);
  const restMs = Date.now() - quietMs;
  await client.close();
  const all = { operations: operationsOf(history.lines()), orders: await readOrders(), payments: await readPayments() };
  const lossy = new Set(business.lossy.map(({ id }) => id));
  const broken = [true, false]
    .flatMap(lost => checkHistory(evidenceOf(sales, all, sale => lossy.has(sale.id) === lost, lost)))
    .filter(({ rule }) => isMeant(rule, mode));
  const violations = [...unsettled.map(what => `rest: ${what}`), ...broken.map(({ rule, text }) => `${rule}: ${text}`)];
  violations.push(...(await auditRows(query)).filter(line => !brokenBefore.has(line)));
  for (const sale of sales) {
    violations.push(...(await auditStores(connections.redis, query, sale)));
    const proof = await audit(connections.db, connections.redis, sale.id);
    violations.push(...(proof?.violations ?? ['no such sale']).map(what => `audit: ${what}`));
  }
  violations.push(...(await checkShop(query, ids, rig.shop.told)));
  // Out of sight of the next case's maintenance.
  const list = ids.map(id => `'${id}'`).join(', ');
  await query(`UPDATE sales SET opens_at = '2000-01-01', closes_at = '2000-01-02' WHERE id IN (${list})`);
  return { restMs, violations };
}

/** What concerns some of the sales. Money is proven by plain SQL: credits belong to no sale. */
function evidenceOf(
  sales: SaleFacts[],
  { operations, orders, payments }: Pick<Evidence, 'operations' | 'orders' | 'payments'>,
  isWanted: (sale: SaleFacts) => boolean,
  redisLostData: boolean,
): Evidence {
  const some = sales.filter(isWanted);
  const ids = new Set(some.map(({ id }) => id));
  const own = orders.filter(({ saleId }) => ids.has(saleId));
  const claimIds = new Set(own.map(({ claimId }) => claimId));
  return {
    sales: some,
    operations: operations.filter(({ saleId }) => ids.has(saleId)),
    orders: own,
    payments: payments.filter(({ orderId }) => claimIds.has(orderId)),
    bank: [],
    redisLostData,
    releaseWithinMs: RELEASE_WITHIN_MS,
  };
}

/** An order that was made by hand belongs to nobody who asked; and an API that is made to throw answers 500. */
function isMeant(rule: string, mode: CrashMode): boolean {
  if (rule === 'no_order_without_a_buyer' || rule === 'ended_by_its_buyer') return false;
  return rule !== 'no_surprise' || (mode !== 'throw' && mode !== 'reply-lost');
}

async function untilFired(process: Breakable): Promise<{ wholeMs: number } | undefined> {
  if (!(await until(process.hasStruck, REACH_MS))) return undefined;
  await until(() => process.fired() !== undefined, MEND_MS);
  return process.fired();
}

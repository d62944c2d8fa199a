import { join } from 'node:path';
import type { CrashMode, CrashPoint, CrashStep } from '#core/process/crash-point.js';
import { until } from '#stack/processes/until.js';
import { SHOP_SECRET } from '../../support/http/shop.js';
import { History } from '../history/history.js';
import { auditRows } from '../rig/final-audit.js';
import { type Client, createClient } from '../workload/client.js';
import { Random } from '../workload/random.js';
import type { Breakable, Fired } from './breakable.js';
import { type CrashRig, type ProcessName, startOnRig } from './crash-rig.js';
import { type Business, judgeCase } from './crash-verdict.js';
import { runDraw } from './draw-scenario.js';
import { runPayers } from './provider-scenario.js';
import { runBuyers, simulateOutage } from './wallet-scenario.js';

/** The crash point must be reached within this time after the buyers are done, in ms. Reconcile runs every 5 s, and later on a busy machine. */
const REACH_MS = 60_000;

/** A failed process is whole again within this time, in ms: a pause takes 17 s, and a start on a busy machine some seconds. */
const MEND_MS = 100_000;

/** The result of one crash point and mode. */
export interface CrashResult {
  name: CrashPoint | CrashStep;
  mode: CrashMode;
  /** Whether the process came to the crash point at all. */
  reached: boolean;
  /** The time until everything was at rest, in ms. It begins when the process is whole and the buyers are done. */
  restMs: number;
  violations: string[];
}

const API_POINTS = /^(claim|pass|status|receipt)\.|\.queue$|^pay\.click$|^(pay|cancel|event)\.queued$/;
const ADMIN_POINTS = /^refund\.(end|ended)$/;

/** Returns the process that has a crash point. */
function processOf(name: string): ProcessName {
  if (ADMIN_POINTS.test(name)) return 'admin';
  return API_POINTS.test(name) && name !== 'release.queue' ? 'api' : 'worker';
}

/** Crash points that are reached only by payments at a provider, or by notices to the shop. They have a scenario of their own. */
const MONEY_POINTS = /^(event|late|refund|ask|shop)\.|^pay\.(requested|create|open)$/;

/** Crash points that are reached only by a draw. */
const DRAW_POINTS = /^(entries|draw)\./;

/** The other processes of a case get a crash point that is never reached that often. */
const NEVER = 'status.read:throw:1000000';

/** A case under way. */
interface Attempt {
  rig: CrashRig;
  history: History;
  client: Client;
  /** Starts a process, and returns its address. */
  start(name: ProcessName): Promise<string>;
}

/** Runs buyers with a wallet, and lets maintenance find the remains of an outage. */
async function runWalletScenario({ rig, client, start }: Attempt): Promise<Business> {
  const leftovers = await simulateOutage(rig.connections, client);
  await start('worker');
  const sale = await runBuyers({ connections: rig.connections, client, random: new Random(1), leftovers });
  return { sales: [...leftovers.sales, sale], lossy: leftovers.lossy };
}

/** Runs a draw. */
async function runDrawScenario({ rig, client, history, start }: Attempt): Promise<Business> {
  const { connections } = rig;
  const sale = await runDraw({
    connections,
    client,
    history,
    random: new Random(1),
    startWorker: () => start('worker'),
  });
  return { sales: [sale], lossy: [] };
}

/** Runs buyers who pay at the provider, an operator who refunds, and a shop that receives notices. */
async function runProviderScenario({ rig, client, history, start }: Attempt, apiUrl: string): Promise<Business> {
  const [url] = await Promise.all([start('admin'), start('worker')]);
  await rig.fake.mood({ webhook: `${apiUrl}/webhooks/payments/signed-webhook` });
  const admin = { url, token: rig.secrets.ADMIN_TOKEN };
  const sales = await runPayers({ connections: rig.connections, client, history, fake: rig.fake, admin });
  return { sales, lossy: [] };
}

/** Makes a process fail at one crash point in one way, while buyers are active, and checks what this leaves. */
export async function runCrashCase(rig: CrashRig, name: CrashPoint | CrashStep, mode: CrashMode): Promise<CrashResult> {
  await rig.connections.redis.flushall();
  // Rules that an earlier case has broken don't count for this one.
  const brokenBefore = new Set(await auditRows(rig.query));
  const history = new History(join(rig.stores.folder, 'history.jsonl'));
  const processes = new Map<ProcessName, Breakable>();
  const isMoney = MONEY_POINTS.test(name);
  const settings = isMoney ? { SHOP_WEBHOOK_URL: rig.shop.url, SHOP_WEBHOOK_SECRET: SHOP_SECRET } : {};
  const start = async (process: ProcessName) => {
    const crashAt = process === processOf(name) ? `${name}:${mode}:1` : NEVER;
    const started = await startOnRig(rig, { name: process, settings, crashAt });
    processes.set(process, started.process);
    return started.url;
  };
  try {
    const apiUrl = await start('api');
    const authSecret = rig.secrets.AUTH_SECRET;
    const client = createClient({ baseUrls: [apiUrl], authSecret, history, random: new Random(1) });
    const attempt = { rig, history, client, start };
    const run = () => (DRAW_POINTS.test(name) ? runDrawScenario(attempt) : runWalletScenario(attempt));
    const business = await (isMoney ? runProviderScenario(attempt, apiUrl) : run());
    const doneMs = Date.now();
    const broken = processes.get(processOf(name));
    if (!broken) throw new Error(`no process was started that has the crash point ${name}`);
    if (name.startsWith('shutdown.')) broken.endInOrder();
    const fired = await untilFired(broken);
    await client.close();
    // The failure may have hit the first claim. The calls after that have their own time to be carried out.
    const quietMs = Math.max(doneMs, fired?.wholeMs ?? 0);
    const { restMs, violations } = await judgeCase({ rig, history, business, mode, quietMs, brokenBefore });
    return { name, mode, reached: fired !== undefined, restMs, violations };
  } finally {
    await Promise.all([...processes.values()].map(process => process.stop()));
    await history.close();
  }
}

async function untilFired(process: Breakable): Promise<Fired | undefined> {
  if (!(await until(() => process.hasStruck(), REACH_MS))) return undefined;
  await until(() => process.fired() !== undefined, MEND_MS);
  return process.fired();
}

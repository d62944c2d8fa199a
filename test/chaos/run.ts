import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { audit } from '#core/comparison/audit.js';
import { checkout } from '#core/process/checkout.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PaymentFacts, readPaymentFacts } from './history/books.js';
import { checkHistory } from './history/check-history.js';
import { type OrderFacts, viewClaims } from './history/claim-view.js';
import { auditRows, auditStores, readOrderFacts } from './history/final-audit.js';
import { bankReadsOf, type History, openHistory, operationsOf } from './history/history.js';
import { breakThings, type FaultReport } from './nemesis/faults.js';
import { type LinkName, type Links, openLinks } from './nemesis/links.js';
import { type Probe, percentile, probeAlways, recoveries } from './nemesis/probe.js';
import type { ChaosOptions } from './options.js';
import { type Cluster, startCluster } from './rig/cluster.js';
import { plainQuery } from './rig/plain-query.js';
import { comeToRest } from './rig/rest.js';
import { openClient } from './workload/client.js';
import { namesOf, sendCrowd } from './workload/crowd.js';
import { spoilMood } from './workload/provider-moods.js';
import { Random } from './workload/random.js';
import { refundNowAndThen } from './workload/refunds.js';
import { factsOf, fillWallets, keepBooks, lookAtBooks, makeWorld, type Query, type World } from './workload/world.js';

/** Before the first fault, in ms: a run has seen that everything works. */
const CALM_MS = 2 * SECOND_MS;

/** After the last fault everything must have come to rest within this time, in ms. */
const REST_MS = 60 * SECOND_MS;

/** By invariant 8; twice as long, as several faults come one after the other here. */
const RELEASE_WITHIN_MS = 30 * SECOND_MS;

interface Spread {
  p50: number;
  p99: number;
  max: number;
}

/** What a run of chaos amounts to. */
export interface ChaosResult {
  seed: number;
  minutes: number;
  operations: number;
  kills: FaultReport['kills'];
  /** Links that were broken, beside the kills. */
  links: number;
  /** Different claims that clients were told of. */
  accepted: number;
  /** Orders. */
  placed: number;
  violations: string[];
  money: MoneyCounts;
  /** From a fault until the claim of a fresh buyer is placed. */
  recoveryMs: Spread;
  /** From the first answer to a claim until its order. */
  placingMs: Spread;
}

/** What was paid through the provider, so that it shows what a run has tried. */
export interface MoneyCounts {
  paidElsewhere: number;
  /** Paid there after another payment for the order had failed. */
  paidAtLast: number;
  /** Came too late, and bought a unit again. */
  regrabbed: number;
  /** Came too late, and went back. */
  returned: number;
  /** Paid, and given back by the shop, through whichever provider. */
  refunded: number;
}

/** A run, and where its history is. */
export interface ChaosRun {
  result: ChaosResult;
  /** With history, logs and what was found; removed when nothing was. */
  folder: string;
}

/**
 * Runs Dropline for some minutes under load while it is broken again and again, and checks everything that happened.
 *
 * @param options how long, and which chaos
 * @param tell told in one line of what goes on
 * @returns what came of it
 */
export async function runChaos(options: ChaosOptions, tell: (line: string) => void): Promise<ChaosRun> {
  const folder = join(checkout, '.data', 'chaos', `seed-${options.seed}-${Date.now()}`);
  await mkdir(folder, { recursive: true });
  const history = openHistory(join(folder, 'history.jsonl'));
  const links = openLinks();
  // Where its events go is known when the APIs are.
  const fake = await startFakeProvider('http://127.0.0.1:9/');
  const cluster = await startCluster({
    logFile: join(folder, 'processes.log'),
    environment: () => fake.settings,
    link: (from, to, url) => links.by(`${from}-${to}` as LinkName, url),
  });
  try {
    const connections = await connectStores(cluster.redisUrl, cluster.databaseUrl);
    try {
      const result = await runOn({ options, history, cluster, links, fake, connections, tell });
      await writeFile(join(folder, 'result.json'), JSON.stringify(result, null, 2));
      if (result.violations.length === 0 && !options.keep) await rm(folder, { recursive: true });
      return { result, folder };
    } finally {
      await connections.close();
    }
  } finally {
    await cluster.stop();
    await links.close();
    await fake.stop();
    await history.close();
  }
}

interface Run {
  options: ChaosOptions;
  history: History;
  cluster: Cluster;
  links: Links;
  fake: FakeProvider;
  connections: Connections;
  tell(line: string): void;
}

async function runOn(run: Run): Promise<ChaosResult> {
  const { options, history, cluster, fake, connections, tell } = run;
  const runMs = options.minutes * MINUTE_MS;
  const query = plainQuery(cluster.databaseUrl);
  const world = await makeWorld(connections, runMs);
  const crowd = namesOf(Math.ceil((runMs / SECOND_MS) * options.rate));
  await fillWallets(connections, history, crowd);
  tell(`seed ${options.seed}: ${options.rate} buyers a second for ${options.minutes} min`);

  const { report, probes } = await storm(run, world, query, crowd, runMs);
  tell(`${report.faults.length} faults; waiting until everything is at rest`);
  // As if the minutes had passed after which a payment that nothing was heard of is asked about again.
  await query('UPDATE payments SET ask_at = clock_timestamp() WHERE ask_at IS NOT NULL');
  const readPayments = () => readPaymentFacts(query, fake);
  const unsettled = await comeToRest(connections, query, factsOf(world.sales), REST_MS, readPayments);
  await lookAtBooks(query, history);
  return judge(run, world, query, report, probes, unsettled, await readPayments());
}

async function storm(
  { options, history, cluster, links, fake, connections }: Run,
  world: World,
  query: Query,
  crowd: string[],
  runMs: number,
): Promise<{ report: FaultReport; probes: Probe[] }> {
  const [over, calm] = [new AbortController(), new AbortController()];
  // Each has numbers of its own, so that the faults don't depend on how quickly buyers are answered.
  const random = (part: number) => new Random(options.seed * 10 + part);
  const baseUrls = await Promise.all(cluster.baseUrls.map(url => links.by('client-api', url)));
  const client = openClient(baseUrls, cluster.secrets.AUTH_SECRET, history, random(1));
  const webhooks = baseUrls.map(url => `${url}/webhooks/payments/signed-webhook`);
  const parts = [
    sendCrowd(client, world, random(2), options.rate, over.signal),
    keepBooks(connections, query, history, crowd, random(3), over.signal),
    spoilMood(fake, webhooks, history, random(5), over.signal),
    refundNowAndThen(connections, query, history, random(6), over.signal),
  ];
  const probing = probeAlways(client, world.probe, over.signal);
  await pause(CALM_MS);
  const storming = breakThings(cluster, links.all, history, random(4), calm.signal);
  await pause(Math.max(0, runMs - CALM_MS));
  calm.abort();
  const report = await storming;
  // Somebody must have come after the last of it, or nobody could tell how long that took.
  await pause(AFTERMATH_MS);
  over.abort();
  await Promise.all(parts);
  const probes = await probing;
  await client.close();
  return { report, probes };
}

async function judge(
  { options, history, connections }: Run,
  world: World,
  query: Query,
  report: FaultReport,
  probes: readonly Probe[],
  unsettled: readonly string[],
  payments: readonly PaymentFacts[],
): Promise<ChaosResult> {
  const operations = operationsOf(history.lines());
  const orders = await readOrderFacts(query);
  const sales = factsOf(world.sales);
  const evidence = {
    sales,
    operations,
    orders,
    bank: bankReadsOf(history.lines()),
    payments,
    redisLostData: false,
    releaseWithinMs: RELEASE_WITHIN_MS,
  };
  const violations = [
    ...unsettled.map(what => `rest: ${what}`),
    ...checkHistory(evidence).map(({ rule, text }) => `${rule}: ${text}`),
    ...(await auditRows(query)),
  ];
  for (const sale of sales) {
    violations.push(...(await auditStores(connections.redis, query, sale)));
    const proof = await audit(connections.db, connections.redis, sale.id);
    violations.push(...(proof?.violations ?? ['no such sale']).map(what => `audit: ${sale.id}: ${what}`));
  }
  const views = viewClaims(evidence);
  const placing = views.flatMap(({ sightings, order }) =>
    order && sightings.length > 0 ? [order.placedAtMs - Math.min(...sightings.map(({ toMs }) => toMs))] : [],
  );
  return {
    seed: options.seed,
    minutes: options.minutes,
    operations: operations.length,
    kills: report.kills,
    links: report.links,
    accepted: views.filter(({ sightings }) => sightings.length > 0).length,
    placed: orders.filter(({ status }) => status !== 'void').length,
    violations,
    money: countMoney(payments, orders),
    recoveryMs: spreadOf(recoveries(report.faults, probes)),
    placingMs: spreadOf(placing.map(ms => Math.max(0, ms))),
  };
}

/** Buyers go on coming for so long after the last fault, in ms. */
const AFTERMATH_MS = 2 * SECOND_MS;

/** A run of this length breaks enough to be judged by it, in minutes. */
const FULL_MINUTES = 3;
const KILLS_MIN = 30;
const STORE_KILLS_MIN = 3;

/** Within this time of any fault buyers can buy again, in ms (invariant 6). */
const RECOVERY_P99_MS = 15_000;

/**
 * @param result what came of a run
 * @returns what it would have had to show and didn't, in words: too slow a recovery, or too few faults for its length
 */
export function missedBy({ minutes, kills, recoveryMs }: ChaosResult): string[] {
  const { api, worker, redis, postgres } = kills;
  const total = api + worker + redis + postgres;
  const isTooTame = total < KILLS_MIN || Math.min(redis, postgres) < STORE_KILLS_MIN;
  return [
    ...(recoveryMs.p99 > RECOVERY_P99_MS ? [`recovery p99 was ${recoveryMs.p99} ms, above ${RECOVERY_P99_MS}`] : []),
    ...(minutes >= FULL_MINUTES && isTooTame
      ? [`${total} kills, ${redis} of redis and ${postgres} of postgres: too few`]
      : []),
  ];
}

const spreadOf = (values: readonly number[]): Spread => ({
  p50: Math.round(percentile(values, 0.5)),
  p99: Math.round(percentile(values, 0.99)),
  max: Math.round(percentile(values, 1)),
});

function countMoney(payments: readonly PaymentFacts[], orders: readonly OrderFacts[]): MoneyCounts {
  const ordersWith = (reason: string) => orders.filter(order => order.reason === reason).length;
  return {
    paidElsewhere: payments.filter(({ takenMinor }) => takenMinor > 0).length,
    paidAtLast: payments.filter(({ takenMinor, attempt }) => takenMinor > 0 && attempt > 1).length,
    regrabbed: orders.filter(({ regrabbed }) => regrabbed).length,
    returned: ordersWith('refunded_late_payment'),
    refunded: ordersWith('refunded_by_shop'),
  };
}

import { setTimeout as pause } from 'node:timers/promises';
// The map of a run of chaos, in Jepsen's words. A folder imports only from the folders above it in this list.
//
//   history/   what is written: one line for each call, reply, fault and read of all money. The checks of a history are here, too.
//   workload/  who asks: buyers at a steady rate, payments at the provider, credits, refunds, and a probe that measures recovery.
//   rig/       what runs: private stores (one Redis, or a cluster), two APIs, two workers, a fault proxy on each link. It also reads
//              the stores at rest.
//   nemesis/   who breaks: it kills and pauses processes, breaks links and a Redis Cluster, and makes the payment provider misbehave.
//   matrix/    another run: one process fails at one crash point in one way (`npm run chaos:matrix`).
//   run.ts     one run in time: start, calm, storm, aftermath, rest, verdict (`npm run chaos`, by main.ts and options.ts).
//   verdict.ts who checks: the history by its rules, the stores by plain SQL, each sale by the product's audit.
//   result.ts  the summary of a run, and its goals: fast recovery, and enough faults.
//
// The tests of this folder break one thing each, on a stage (rig/stage.ts).

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import type { Shards } from '#core/redis/shards.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { type Connections, connectInstallation } from '#stack/stores/connections.js';
import { bankReadsOf, drawReadsOf, History, operationsOf } from './history/history.js';
import { type FaultReport, runNemesis } from './nemesis/nemesis.js';
import { runProviderMoods } from './nemesis/provider-moods.js';
import type { ChaosOptions } from './options.js';
import {
  type ChaosResult,
  countDraws,
  countHolding,
  countMoney,
  recoveries,
  recoveriesByKind,
  spreadOf,
} from './result.js';
import { type Cluster, startCluster } from './rig/cluster.js';
import { readDrawFacts } from './rig/draw-facts.js';
import { readOrderFacts, readPaymentFacts } from './rig/facts.js';
import { createLinks, type LinkName, type Links } from './rig/links.js';
import { untilAllAtRest } from './rig/rest.js';
import { checkRun, countClaims, countLost } from './verdict.js';
import { fillWallets, readBank, runBank } from './workload/bank.js';
import { createClient } from './workload/client.js';
import { namesOf, planVisit, sendCrowd } from './workload/crowd.js';
import { giveValues, readDraws, returnWithEntries } from './workload/draws.js';
import { type Probe, runProbes } from './workload/probe.js';
import { createQuery, type Query } from './workload/query.js';
import { Random } from './workload/random.js';
import { returnWithReceipts } from './workload/receipts.js';
import { runRefunds } from './workload/refunds.js';
import { createWorld, factsOf, type World } from './workload/world.js';

/** The time before the first fault, in ms, in which the run shows that everything works. */
const CALM_MS = 2 * SECOND_MS;

/** Buyers come for this long after the last fault, in ms, so that its recovery can be measured. */
const AFTERMATH_MS = 2 * SECOND_MS;

/** Within this time after the last buyer everything must be at rest, in ms. */
const REST_MS = 120 * SECOND_MS;

/** Within this time the buyer of a lost claim reads how it ended, in ms. */
const RETURN_MS = 60 * SECOND_MS;

/** Twice the time of invariant 8, because several faults follow each other here. */
const RELEASE_WITHIN_MS = 30 * SECOND_MS;

/** A run, and the folder of its history. */
export interface ChaosRun {
  result: ChaosResult;
  /** Has the history, the logs and the result. It is removed after a run without violations. */
  folder: string;
}

/**
 * Runs Dropline under load for some minutes, breaks it again and again, and checks all answers.
 *
 * @param tell receives one line for each stage of the run
 */
export async function runChaos(options: ChaosOptions, tell: (line: string) => void): Promise<ChaosRun> {
  const folder = join(checkout, '.data', 'chaos', `seed-${options.seed}-${Date.now()}`);
  await mkdir(folder, { recursive: true });
  const history = new History(join(folder, 'history.jsonl'));
  const links = createLinks();
  // Port 9 discards: the addresses for events are known once the APIs are.
  const fake = await startFakeProvider('http://127.0.0.1:9/');
  const cluster = await startCluster({
    logFile: join(folder, 'processes.log'),
    environment: () => fake.settings,
    onRedisCluster: options.cluster,
    // The nodes of a cluster tell their own addresses, so no proxy can stand before them.
    link: async (from, to, url) =>
      options.cluster && to === 'redis' ? url : links.through(`${from}-${to}` as LinkName, url),
  });
  try {
    const connections = await connectInstallation(cluster.redisUrl, cluster.databaseUrl);
    const query = createQuery(cluster.databaseUrl);
    try {
      const result = await runOn({ options, history, cluster, links, fake, connections, query, tell });
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

/** The parts of a run. */
interface Run {
  options: ChaosOptions;
  history: History;
  cluster: Cluster;
  links: Links;
  fake: FakeProvider;
  connections: Connections<Shards>;
  query: Query;
  tell(line: string): void;
}

/** The sales and the buyers of a run, and its length in ms. */
interface Load {
  world: World;
  crowd: string[];
  runMs: number;
}

/** The faults of a storm, and the probes that measured the recovery. */
interface Storm {
  report: FaultReport;
  probes: Probe[];
}

async function runOn(run: Run): Promise<ChaosResult> {
  const { options, history, fake, connections, query, tell } = run;
  const runMs = options.minutes * MINUTE_MS;
  const world = await createWorld(connections, {
    runMs,
    isOnCluster: options.cluster,
    opening: options.opening,
  });
  const crowd = namesOf(Math.ceil((runMs / SECOND_MS) * options.rate));
  await fillWallets(connections, history, crowd);
  tell(`seed ${options.seed}: ${options.rate} buyers a second for ${options.minutes} min`);

  const storm = await runStorm(run, { world, crowd, runMs });
  tell(`${storm.report.faults.length} faults; waiting until everything is at rest`);
  // Workers ask the provider about a silent payment after minutes. The run doesn't wait for that.
  await query('UPDATE payments SET ask_at = clock_timestamp() WHERE ask_at IS NOT NULL');
  await query('UPDATE payments SET refund_at = clock_timestamp() WHERE refund_at IS NOT NULL');
  const readPayments = () => readPaymentFacts(query, fake);
  const sales = factsOf(world.sales);
  const inFlight = await untilAllAtRest({
    redis: connections.redis,
    query,
    sales,
    limitMs: REST_MS,
    readPayments,
  });
  await readBank(query, history);
  const evidence = {
    sales,
    operations: operationsOf(history.lines()),
    orders: await readOrderFacts(query),
    bank: bankReadsOf(history.lines()),
    payments: await readPayments(),
    draws: await readDrawFacts(
      connections.redis,
      query,
      world.draws.all.map(({ id }) => id),
    ),
    drawReads: drawReadsOf(history.lines()),
    redisLostData: losesData(options),
    redisLosses: storm.report.redisLosses,
    releaseWithinMs: RELEASE_WITHIN_MS,
  };
  const violations = await checkRun({ evidence, inFlight, connections, query });
  const { accepted, placingMs } = countClaims(evidence);
  return {
    seed: options.seed,
    minutes: options.minutes,
    operations: evidence.operations.length,
    kills: storm.report.kills,
    links: storm.report.links,
    ...(storm.report.redis ? { redis: storm.report.redis } : {}),
    accepted,
    placed: evidence.orders.filter(({ status }) => status !== 'void').length,
    lost: countLost(evidence),
    violations,
    money: countMoney(evidence.payments, evidence.orders),
    holding: countHolding(evidence),
    ...(evidence.draws.length > 0 ? { draws: countDraws(evidence, storm.report) } : {}),
    recoveryMs: spreadOf(recoveries(storm.report.faults, storm.probes)),
    recoveryMsOf: recoveriesByKind(storm.report.faults, storm.probes),
    placingMs: spreadOf(placingMs),
  };
}

/**
 * Tells whether Redis may lose confirmed data: a primary that is replaced may have taken claims that its replica has not, and in a run with
 * draws Redis is emptied.
 */
const losesData = ({ cluster, opening }: ChaosOptions): boolean => cluster || opening !== 'rush';

/** Lets the workload run, first in calm, then under the nemesis, and then for the aftermath. */
async function runStorm(run: Run, { world, crowd, runMs }: Load): Promise<Storm> {
  const { options, history, cluster, links, fake, connections, query } = run;
  const [over, calm, valued] = [new AbortController(), new AbortController(), new AbortController()];
  // Each part has random numbers of its own, so that the faults don't depend on how quickly buyers are answered.
  const random = (part: number) => new Random(options.seed * 10 + part);
  const baseUrls = await Promise.all(cluster.baseUrls.map(url => links.through('client-api', url)));
  const client = createClient({ baseUrls, authSecret: cluster.secrets.AUTH_SECRET, history, random: random(1) });
  const webhooks = baseUrls.map(url => `${url}/webhooks/payments/signed-webhook`);
  const plans = random(2);
  const { signal } = over;
  const saleIds = world.sales.map(({ id }) => id);
  const parts = [
    sendCrowd({
      client,
      random: plans,
      perSecond: options.rate,
      signal,
      plan: (number, elapsedMs) => planVisit(world, plans, { number, elapsedMs }),
    }),
    runBank({ connections, query, history, buyerIds: crowd, random: random(3), signal }),
    runProviderMoods({ fake, webhooks, history, random: random(5), signal }),
    runRefunds({ connections, query, history, fake, random: random(6), signal }),
    readDraws({ connections, draws: world.draws, history, signal }),
  ];
  const valuing = giveValues({ connections, draws: world.draws, signal: valued.signal });
  const probing = runProbes(client, world.probes, signal);
  await pause(CALM_MS);
  const { shards } = connections.redis;
  const flush = options.opening === 'rush' ? undefined : () => Promise.all(shards.map(server => server.flushall()));
  const breaking = runNemesis({
    cluster,
    saleIds,
    links: links.all,
    history,
    flush,
    random: random(4),
    signal: calm.signal,
  });
  await pause(Math.max(0, runMs - CALM_MS));
  calm.abort();
  const report = await breaking;
  await pause(AFTERMATH_MS);
  over.abort();
  // The last faults may take long, and no list is closed while Redis or Postgres is away. So the time begins only here.
  AbortSignal.timeout(RETURN_MS).addEventListener('abort', () => valued.abort());
  await Promise.all([...parts, valuing]);
  // A provider sends an event for days. The run doesn't wait for that.
  await fake.resend();
  const probes = await probing;
  if (losesData(options)) await returnWithReceipts(client, query, RETURN_MS);
  await returnWithEntries(client, RETURN_MS);
  await client.close();
  return { report, probes };
}

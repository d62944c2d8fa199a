import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SECOND_MS } from '#core/rules/clock.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import { connectInstallation } from '#stack/stores/connections.js';
import { History, operationsOf } from '../history/history.js';
import { spreadOf } from '../result.js';
import { type Cluster, startCluster } from '../rig/cluster.js';
import { readOrderFacts } from '../rig/facts.js';
import type { ChaosNode } from '../rig/node.js';
import { untilAllAtRest } from '../rig/rest.js';
import { checkRun, countLost } from '../verdict.js';
import { createClient } from '../workload/client.js';
import { createQuery } from '../workload/query.js';
import { Random } from '../workload/random.js';
import { sendSteadyBuyer, sendSteadyBuyers } from '../workload/steady-buyers.js';
import { factsOf, PRICE_MINOR } from '../workload/world.js';
import { startServers } from './cluster-failover.js';
import type { FailoverKind, Pair } from './failover.js';
import type { FailoverResult } from './failover-verdict.js';

const BUYER_EVERY_MS = 100;
/** The time of calm between two rounds, in ms. */
const CALM_MS = 2 * SECOND_MS;
const REST_MS = 120 * SECOND_MS;
/** Twice the time of invariant 8, as a release may wait for a failover. */
const RELEASE_WITHIN_MS = 30 * SECOND_MS;
const PLENTY = 50_000;
/** The sale whose claims are timed. On a cluster its node fails. */
const PROBED = 'probe';

/**
 * Fails Redis over again and again while buyers come, and then checks the history and both stores.
 *
 * @param tell receives one line for each round
 */
export async function runFailovers(
  kind: FailoverKind,
  rounds: number,
  tell: (line: string) => void,
): Promise<FailoverResult> {
  const folder = await mkdtemp(join(tmpdir(), 'dropline-failovers-'));
  let pair: Promise<Pair> | undefined;
  const cluster = await startCluster({
    logFile: join(folder, 'processes.log'),
    link: async (_from, to, url) => {
      if (to !== 'redis') return url;
      pair ??= startServers(kind, url, PROBED);
      return (await pair).url;
    },
  });
  try {
    return await runOn({ kind, cluster, pair: await (pair as Promise<Pair>), folder, rounds, tell });
  } finally {
    await cluster.stop();
    await (await pair)?.stop();
    await rm(folder, { recursive: true });
  }
}

interface Run {
  kind: FailoverKind;
  cluster: Cluster;
  pair: Pair;
  folder: string;
  rounds: number;
  tell(line: string): void;
}

async function runOn({ kind, cluster, pair, folder, rounds, tell }: Run): Promise<FailoverResult> {
  const connections = await connectInstallation(pair.url, cluster.databaseUrl);
  const history = new History(join(folder, 'history.jsonl'));
  const query = createQuery(cluster.databaseUrl);
  const wishes = { units: PLENTY, priceMinor: PRICE_MINOR, payWithinSeconds: 3, standbyFactor: 0 };
  const opensAtMs = Date.now() - SECOND_MS;
  const sales = [
    await createOpenSale(connections, { ...wishes, id: 'steady', opensAtMs }),
    await createOpenSale(connections, { ...wishes, id: PROBED, opensAtMs }),
  ];
  const { AUTH_SECRET: authSecret } = cluster.secrets;
  const clients = cluster.baseUrls.map(url =>
    createClient({ baseUrls: [url], authSecret, history, random: new Random(1) }),
  );
  const client = createClient({ baseUrls: cluster.baseUrls, authSecret, history, random: new Random(2) });
  const buyers = sendSteadyBuyers(client, 'steady', BUYER_EVERY_MS);
  const first = cluster.nodes.find(({ name }) => name === 'redis') as ChaosNode;
  const probes: Promise<void>[] = [];
  const all: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await pause(CALM_MS);
    const { servesAtMs, heal } = await pair.failOver(first);
    const visits = clients.map((one, api) =>
      sendSteadyBuyer(one, { saleId: PROBED, buyerId: `probe-${round}-${api}`, cancels: false }),
    );
    probes.push(...visits.map(({ ended }) => ended));
    const answered = await Promise.all(visits.map(({ accepted }) => accepted));
    all.push(Math.max(0, ...answered.map(atMs => Number(atMs) - servesAtMs)));
    tell(`${kind} ${round}: ${all.at(-1)} ms`);
    await heal();
  }
  await buyers.end();
  await Promise.all(probes);
  const facts = factsOf(sales);
  const inFlight = await untilAllAtRest({ redis: connections.redis, query, sales: facts, limitMs: REST_MS });
  const operations = operationsOf(history.lines());
  const evidence = {
    sales: facts,
    operations,
    orders: await readOrderFacts(query),
    bank: [],
    payments: [],
    redisLostData: true,
    releaseWithinMs: RELEASE_WITHIN_MS,
  };
  const violations = await checkRun({ evidence, inFlight, connections, query });
  await Promise.all([...clients, client].map(one => one.close()));
  await history.close();
  await connections.close();
  return {
    kind,
    rounds,
    recoveryMs: spreadOf(all),
    all,
    accepted: buyers.accepted(),
    lost: countLost(evidence),
    violations,
  };
}

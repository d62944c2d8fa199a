import { pauseUntil } from '#stack/processes/pause.js';
import type { History } from '../history/history.js';
import type { ChaosNode, Cluster, NodeKind } from '../rig/cluster.js';
import type { Random } from '../workload/random.js';
import { linkBreaker } from './link-faults.js';
import type { Link } from './links.js';

/** What SIGSTOP stops as a whole: Postgres is many processes. */
type Pausable = Exclude<NodeKind, 'postgres'>;

type Plan = { do: 'kill'; kind: NodeKind } | { do: 'pause'; kind: Pausable };

const kills = (kind: NodeKind, times: number): Plan[] => Array(times).fill({ do: 'kill', kind });
const pauses = (kind: Pausable): Plan[] => [{ do: 'pause', kind }];

/** Dealt out shuffled, again and again: so that a short run has its share of everything, too. */
const DECK: Plan[] = [
  ...kills('api', 3),
  ...kills('worker', 3),
  ...kills('redis', 1),
  ...kills('postgres', 1),
  ...pauses('api'),
  ...pauses('worker'),
  ...pauses('redis'),
];

/** From the end of one fault to the next, in ms. */
const BETWEEN_MS = [500, 3_000] as const;

/** The next comes after this time at the latest, whether the last is mended or not, in ms: more than 30 kills in 3 minutes. */
const PACE_MS = 4_000;

/** How long what was killed stays down before it is started again, in ms. */
const DOWN_MS = [0, 1_000] as const;

/** How long a process is stopped, in ms: for a worker also longer than its locks last (15 s). */
const PAUSE_MS: Record<Pausable, readonly [number, number]> = {
  api: [500, 4_000],
  worker: [1_000, 20_000],
  redis: [500, 3_000],
};

/** So often a link is broken beside what else is, if none is: about every third time. */
const LINK_CHANCE = 0.35;

/** One thing that was broken. */
export interface Fault {
  atMs: number;
  text: string;
}

export interface FaultReport {
  faults: Fault[];
  kills: Record<NodeKind, number>;
  /** How many links were broken. */
  links: number;
}

/**
 * Breaks things until it is told to stop, and leaves everything running.
 *
 * @param cluster what is broken
 * @param links by which its processes and the buyers are connected: broken beside it
 * @param history where each fault is noted
 * @param random chooses what, when and for how long
 * @param signal ends it
 * @returns what was broken
 */
export async function breakThings(
  cluster: Cluster,
  links: readonly Link[],
  history: History,
  random: Random,
  signal: AbortSignal,
): Promise<FaultReport> {
  const report: FaultReport = { faults: [], kills: { api: 0, worker: 0, redis: 0, postgres: 0 }, links: 0 };
  const breaker = linkBreaker(links, random, signal);
  const paused = new Map<ChaosNode, Promise<void>>();
  const mending = new Set<Promise<void>>();
  let deck: Plan[] = [];

  const note = (text: string) => {
    const fault = { atMs: Date.now(), text };
    report.faults.push(fault);
    history.note({ type: 'fault', atMs: fault.atMs, fault: text });
  };
  const mend = (work: Promise<void>) => {
    mending.add(work);
    void work.finally(() => mending.delete(work));
  };
  const kill = async (node: ChaosNode) => {
    note(`kill ${node.name}`);
    report.kills[node.kind] += 1;
    const downMs = random.between(...DOWN_MS);
    await node.kill();
    const back = pauseUntil(downMs, signal).then(() => node.revive());
    mend(back);
    await Promise.race([back, pauseUntil(PACE_MS, signal)]);
  };
  const stop = (kind: Pausable, node: ChaosNode) => {
    const pid = node.pid();
    if (pid === undefined || paused.has(node)) return;
    // The other worker may be the one behind the link.
    if (kind === 'worker' && breaker.isBroken()) return;
    const forMs = random.between(...PAUSE_MS[kind]);
    note(`pause ${node.name} for ${forMs} ms`);
    process.kill(pid, 'SIGSTOP');
    const woken = pauseUntil(forMs, signal).then(() => {
      paused.delete(node);
      // Killed meanwhile: then another process may have that number.
      if (node.pid() === pid) process.kill(pid, 'SIGCONT');
    });
    paused.set(node, woken);
    mend(woken);
  };

  const breakLink = () => {
    const { text, whole } = breaker.breakOne([...paused.keys()].some(({ kind }) => kind === 'worker'));
    note(text);
    report.links += 1;
    mend(whole);
  };

  while (!signal.aborted) {
    const last = report.faults.at(-1)?.atMs ?? Date.now();
    await pauseUntil(Math.min(random.between(...BETWEEN_MS), last + PACE_MS - Date.now()), signal);
    if (signal.aborted) break;
    if (!breaker.isBroken() && random.chance(LINK_CHANCE)) breakLink();
    if (deck.length === 0) deck = random.shuffle(DECK);
    const up = (kind: NodeKind) => cluster.nodes.filter(node => node.kind === kind && node.pid() !== undefined);
    const next = deck.find(({ kind }) => up(kind).length > 0);
    if (!next) continue;
    deck.splice(deck.indexOf(next), 1);
    const node = random.pick(up(next.kind));
    if (next.do === 'kill') await kill(node);
    else stop(next.kind, node);
  }
  await Promise.all(mending);
  await Promise.all(cluster.nodes.map(node => node.revive()));
  return report;
}

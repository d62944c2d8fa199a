import { pauseUntil } from '#stack/processes/pause.js';
import type { RedisLoss } from '../history/evidence.js';
import type { History } from '../history/history.js';
import type { Cluster } from '../rig/cluster.js';
import type { Link } from '../rig/links.js';
import type { ChaosNode, NodeKind } from '../rig/node.js';
import type { Random } from '../workload/random.js';
import { createLinkBreaker, type LinkBreaker } from './link-faults.js';
import { REDIS_FAULTS, RedisBreaker, type RedisFault } from './redis-faults.js';

/** The nodes that SIGSTOP stops as a whole. Postgres is many processes. */
type Pausable = Exclude<NodeKind, 'postgres'>;

/** How Redis loses all data: it is flushed, or replaced by an empty one. */
type Loss = 'flush redis' | 'replace redis';

type Plan =
  | { do: 'kill'; kind: NodeKind }
  | { do: 'pause'; kind: Pausable }
  | { do: 'redis'; fault: RedisFault }
  | { do: 'lose'; loss: Loss };

const kills = (kind: NodeKind, times: number): Plan[] => Array(times).fill({ do: 'kill', kind });
const pauses = (kind: Pausable): Plan[] => [{ do: 'pause', kind }];

/** The faults are dealt out shuffled, again and again, so that even a short run has its share of each. */
const DECK: Plan[] = [
  ...kills('api', 3),
  ...kills('worker', 3),
  ...kills('postgres', 1),
  ...pauses('api'),
  ...pauses('worker'),
];
const ONE_REDIS: Plan[] = [...kills('redis', 1), ...pauses('redis')];
const LOSSES: Plan[] = [
  { do: 'lose', loss: 'flush redis' },
  { do: 'lose', loss: 'replace redis' },
];
const REDIS_CLUSTER: Plan[] = REDIS_FAULTS.map(fault => ({ do: 'redis', fault }));

/** The time from one fault to the next, and the longest one, mended or not, in ms. */
interface Pace {
  betweenMs: readonly [number, number];
  longestMs: number;
}

/** It allows more than 30 kills in 3 minutes. */
const ONE_REDIS_PACE: Pace = { betweenMs: [500, 3_000], longestMs: 4_000 };

/**
 * A cluster needs 2 s to notice a dead node, and seconds to replace it. With faults as quick as those of one Redis, its time to recover
 * would count several of them. So would those of a Redis that was emptied, whose sales are rebuilt one after the other. Each kind still
 * comes within 2 minutes.
 */
const SLOW_PACE: Pace = { betweenMs: [2_000, 6_000], longestMs: 7_000 };

/** The time from a kill to the new start, in ms. */
const DOWN_MS = [0, 1_000] as const;

/** The time that a process is paused, in ms. For a worker it can be longer than the locks of its jobs last (15 s). */
const PAUSE_MS: Record<Pausable, readonly [number, number]> = {
  api: [500, 4_000],
  worker: [1_000, 20_000],
  redis: [500, 3_000],
};

/** The probability that a fault also breaks a link, if none is broken: about every third time. */
const LINK_CHANCE = 0.35;

/** A fault, and when it began, in ms since the epoch. */
export interface FaultNote {
  atMs: number;
  /** The kind of fault, such as `kill worker`. */
  kind: string;
  text: string;
  /** The sales that it touches; undefined for all. */
  saleIds?: readonly string[];
}

/** All faults of a run. */
export interface FaultReport {
  faults: FaultNote[];
  kills: Record<NodeKind, number>;
  /** The number of broken links. */
  links: number;
  /** The faults of the Redis Cluster; undefined for one Redis. */
  redis: Record<RedisFault, number> | undefined;
  /** How many times Redis lost all data. */
  losses: Record<Loss, number>;
  /** When Redis may have lost data: as it was emptied, or from a fault of its cluster until that was whole again. */
  redisLosses: RedisLoss[];
}

/** The parts of a nemesis. */
export interface NemesisOptions {
  cluster: Cluster;
  /** The sales of the run. */
  saleIds: readonly string[];
  /** The links between the processes and from the buyers. */
  links: readonly Link[];
  history: History;
  /** Empties Redis; undefined for a run in which it keeps its data. */
  flush?: (() => Promise<unknown>) | undefined;
  /** Chooses the faults, their times and their duration. */
  random: Random;
  /** Ends the faults. */
  signal: AbortSignal;
}

/** Kills and pauses processes and breaks links. */
class Nemesis {
  readonly #options: NemesisOptions;
  readonly #breaker: LinkBreaker;
  readonly #redis: RedisBreaker | undefined;
  readonly #report: FaultReport;
  readonly #paused = new Map<ChaosNode, Promise<void>>();
  readonly #mending = new Set<Promise<void>>();
  #deck: Plan[] = [];

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#breaker = createLinkBreaker(options.links, options.random, options.signal);
    const { redisNodes } = options.cluster;
    this.#redis = redisNodes && new RedisBreaker({ ...options, redisNodes });
    const counts = Object.fromEntries(REDIS_FAULTS.map(fault => [fault, 0])) as Record<RedisFault, number>;
    const kills = { api: 0, worker: 0, redis: 0, postgres: 0 };
    this.#report = {
      faults: [],
      kills,
      links: 0,
      redis: redisNodes && counts,
      losses: { 'flush redis': 0, 'replace redis': 0 },
      redisLosses: [],
    };
  }

  /** Makes faults until the signal fires, and then mends everything. */
  async run(): Promise<FaultReport> {
    const { cluster, random, signal } = this.#options;
    while (!signal.aborted) {
      const last = this.#report.faults.at(-1)?.atMs ?? Date.now();
      const { betweenMs, longestMs } = this.#pace;
      await pauseUntil(Math.min(random.between(...betweenMs), last + longestMs - Date.now()), signal);
      if (!signal.aborted) await this.#breakNext();
    }
    await Promise.all(this.#mending);
    await Promise.all(cluster.nodes.map(node => node.revive()));
    return this.#report;
  }

  get #pace(): Pace {
    return this.#redis || this.#options.flush ? SLOW_PACE : ONE_REDIS_PACE;
  }

  async #breakNext(): Promise<void> {
    const { cluster, random } = this.#options;
    if (!this.#breaker.isBroken() && random.chance(LINK_CHANCE)) this.#breakLink();
    if (this.#deck.length === 0) this.#deck = random.shuffle([...DECK, ...this.#ofRedis]);
    const up = (kind: NodeKind) => cluster.nodes.filter(node => node.kind === kind && node.pid() !== undefined);
    const isPossible = (plan: Plan) => {
      if (plan.do === 'redis') return !this.#redis?.isBroken;
      if (plan.do === 'lose') return !this.#redis?.isBroken && up('redis').every(node => !this.#paused.has(node));
      return up(plan.kind).length > 0;
    };
    const next = this.#deck.find(isPossible);
    if (!next) return;
    this.#deck.splice(this.#deck.indexOf(next), 1);
    if (next.do === 'redis') return this.#breakRedis(next.fault);
    if (next.do === 'lose') return this.#lose(next.loss);
    const node = random.pick(up(next.kind));
    if (next.do === 'kill') await this.#kill(node);
    else this.#pauseUntil(next.kind, node);
  }

  async #kill(node: ChaosNode): Promise<void> {
    const { random, signal } = this.#options;
    this.#note({ kind: `kill ${node.kind}`, text: `kill ${node.name}` });
    this.#report.kills[node.kind] += 1;
    const downMs = random.between(...DOWN_MS);
    await node.kill();
    const back = pauseUntil(downMs, signal).then(() => node.revive());
    this.#mend(back);
    await Promise.race([back, pauseUntil(this.#pace.longestMs, signal)]);
  }

  /** The faults of Redis. The nodes of a Redis Cluster are replaced by their replicas, and not by empty ones. */
  get #ofRedis(): Plan[] {
    const losses = this.#options.flush ? LOSSES.filter(plan => !this.#redis || plan === LOSSES[0]) : [];
    return [...(this.#redis ? REDIS_CLUSTER : ONE_REDIS), ...losses];
  }

  async #lose(loss: Loss): Promise<void> {
    const { cluster, flush } = this.#options;
    const redis = cluster.nodes.filter(node => node.kind === 'redis' && node.pid() !== undefined);
    this.#note({ kind: loss, text: loss });
    this.#report.losses[loss] += 1;
    const fromMs = Date.now();
    if (loss === 'flush redis') await flush?.().catch(() => undefined);
    else {
      await redis[0]?.kill();
      await cluster.forgetRedis?.();
      await redis[0]?.revive();
    }
    this.#report.redisLosses.push({ fromMs, toMs: Date.now() });
  }

  #pauseUntil(kind: Pausable, node: ChaosNode): void {
    const { random, signal } = this.#options;
    const pid = node.pid();
    if (pid === undefined || this.#paused.has(node)) return;
    // The broken link may be the other worker's. Then no worker would be left.
    if (kind === 'worker' && this.#breaker.isBroken()) return;
    const forMs = random.between(...PAUSE_MS[kind]);
    this.#note({ kind: `pause ${kind}`, text: `pause ${node.name} for ${forMs} ms` });
    process.kill(pid, 'SIGSTOP');
    const resumed = pauseUntil(forMs, signal).then(() => {
      this.#paused.delete(node);
      // The process may have been killed meanwhile. Then another one may have its pid.
      if (node.pid() === pid) process.kill(pid, 'SIGCONT');
    });
    this.#paused.set(node, resumed);
    this.#mend(resumed);
  }

  /** Breaks a link; one of a worker only if no worker is paused. */
  #breakLink(): void {
    const isWorkerPaused = [...this.#paused.keys()].some(({ kind }) => kind === 'worker');
    const links = this.#options.links.filter(({ name }) => !isWorkerPaused || !name.startsWith('worker-'));
    const { text, whole } = this.#breaker.breakOne(links);
    this.#note({ kind: 'break link', text });
    this.#report.links += 1;
    this.#mend(whole);
  }

  async #breakRedis(fault: RedisFault): Promise<void> {
    if (!this.#redis || !this.#report.redis) return;
    const { text, atMs, saleIds, whole } = await this.#redis.breakOne(fault);
    this.#note({ kind: fault, text: `${fault}: ${text}`, saleIds, atMs });
    this.#report.redis[fault] += 1;
    if (fault.startsWith('kill')) this.#report.kills.redis += 1;
    this.#mend(whole.then(() => void this.#report.redisLosses.push({ fromMs: atMs, toMs: Date.now() })));
  }

  #note(fault: Omit<FaultNote, 'atMs'> & Partial<FaultNote>): void {
    const note = { atMs: Date.now(), ...fault };
    this.#report.faults.push(note);
    this.#options.history.note({ type: 'fault', atMs: note.atMs, fault: note.text });
  }

  #mend(work: Promise<void>): void {
    this.#mending.add(work);
    void work.finally(() => this.#mending.delete(work));
  }
}

/**
 * Breaks processes and links until the signal fires.
 *
 * @returns all faults; everything runs again
 */
export function runNemesis(options: NemesisOptions): Promise<FaultReport> {
  return new Nemesis(options).run();
}

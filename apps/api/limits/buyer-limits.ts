import { randomUUID } from 'node:crypto';
import { apiProcessesCounted, requestsLimited, storeFailed } from '#core/process/telemetry.js';
import { countApiProcesses, SIGN_EVERY_MS } from '#core/redis/api-processes.js';
import type { Redis } from '#core/redis/connection.js';
import { COMMON } from '#core/redis/keys.js';
import type { Shards } from '#core/redis/shards.js';
import type { LimitCheck, LimitKind } from '../http/limit-kind.js';
import type { PreparedProblem } from '../http/problem.js';
import { FIGURES, type Figures } from './figures.js';
import { Limit } from './limit.js';
import { OverLimit } from './over-limit.js';

/**
 * The most processes that share a limit. With more of them, each keeps an eighth: less would refuse a person whose
 * requests all reach one process. It also bounds the harm of a wrong count.
 */
const SHARERS_MAX = 8;

const KINDS = Object.keys(FIGURES) as LimitKind[];

/** A limit of each kind, and the answers beyond it. */
type Limits = Record<LimitKind, { limit: Limit; over: OverLimit }>;

const noneLimited = () => Object.fromEntries(KINDS.map(kind => [kind, 0])) as Record<LimitKind, number>;

/**
 * The limits on the requests of each verified buyer. A request costs no call of Redis. Once a second the process reads
 * how many API processes run, and lets through an equal part of each limit. While Redis is away, the last count holds.
 */
export class BuyerLimits implements LimitCheck {
  readonly #redis: Shards;
  /** The server that has the processes. */
  readonly #server: Redis;
  readonly #limits: Limits;
  /** Names this process among those that share the limits. */
  readonly #name = randomUUID();
  readonly #timer: NodeJS.Timeout;
  #limited = noneLimited();
  #counting = false;
  #counted = 1;
  #sharers = 1;

  constructor(redis: Shards, figures: Figures) {
    this.#redis = redis;
    this.#server = redis.of(COMMON);
    const limitOf = (kind: LimitKind) => ({
      limit: new Limit(figures[kind]),
      over: new OverLimit(kind, figures[kind]),
    });
    this.#limits = Object.fromEntries(KINDS.map(kind => [kind, limitOf(kind)])) as Limits;
    requestsLimited(this.#limited);
    this.#server.on('ready', this.#count);
    this.#timer = setInterval(this.#onTick, SIGN_EVERY_MS);
  }

  /** The number of processes by which this process divides the limits. */
  get sharers(): number {
    return this.#sharers;
  }

  /** Counts a request of a buyer. Returns the problem to answer it with, or undefined within the limit. */
  refusalOf(kind: LimitKind, buyerId: string): PreparedProblem | undefined {
    return this.#refusalAfter(kind, this.#limits[kind].limit.take(buyerId, performance.now()));
  }

  /** Returns what {@link refusalOf} would return, and counts no request. */
  overLimit(kind: LimitKind, buyerId: string): PreparedProblem | undefined {
    return this.#refusalAfter(kind, this.#limits[kind].limit.waitMs(buyerId, performance.now()));
  }

  check(kind: LimitKind, buyerId: string): void {
    const refusal = this.refusalOf(kind, buyerId);
    if (refusal) throw refusal;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server.off('ready', this.#count);
  }

  #refusalAfter(kind: LimitKind, waitMs: number): PreparedProblem | undefined {
    if (waitMs === 0) return undefined;
    this.#limited[kind] += 1;
    return this.#limits[kind].over.after(waitMs);
  }

  readonly #onTick = (): void => {
    requestsLimited(this.#limited);
    this.#limited = noneLimited();
    this.#count();
  };

  readonly #count = (): void => {
    if (this.#counting || this.#server.status !== 'ready') return;
    this.#counting = true;
    countApiProcesses(this.#redis, this.#name)
      .then(processes => this.#share(processes))
      .catch(error => storeFailed('redis', error))
      .finally(() => {
        this.#counting = false;
      });
  };

  /** A lower count holds from the second time on, as a Redis that has just lost its data counts too few. */
  #share(processes: number): void {
    const sharers = Math.min(SHARERS_MAX, Math.max(processes, this.#counted));
    this.#counted = processes;
    apiProcessesCounted(processes);
    if (sharers === this.#sharers) return;
    this.#sharers = sharers;
    for (const kind of KINDS) this.#limits[kind].limit.shareAmong(sharers);
  }
}

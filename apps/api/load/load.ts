import { performance } from 'node:perf_hooks';
import { loadMeasured, requestsShed } from '#core/process/telemetry.js';
import type { Redis } from '#core/redis/connection.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { LoopDelay } from './loop-delay.js';
import { ServerLoad } from './server-load.js';
import { LOOP_DELAYS_MS, nextLevel, SHED_FROM, SHED_KINDS, type ShedKind } from './shed-level.js';
import { nextSlowdown } from './slowdown.js';

/**
 * The answer to a request that is shed. Levels fall by one step a second, so a client that returns after 5 s meets an
 * eased process. A buyer with 20 s to pay can still try three times.
 */
const OVERLOADED = new Problem('overloaded', { retryAfterSeconds: 5 });

/** The step that refuses requests while this process, or a sale, is overloaded. */
export interface Admission {
  /**
   * Lets a request pass, unless requests of its kind are shed. The limit of each buyer comes before this step, so that
   * a flood by few buyers sheds nobody else.
   *
   * @param saleId the sale, for requests that depend on its outbox
   * @throws Problem `overloaded`: the request has done nothing
   */
  admit(kind: ShedKind, saleId?: string): void;
}

/** Measures once a second how busy this process is, how far behind the workers are, and how full Redis is. */
export class Load implements Admission {
  readonly #redis: Shards;
  readonly #servers: ReadonlyMap<Redis, ServerLoad>;
  readonly #loopDelay = new LoopDelay();
  readonly #timer = setInterval(() => void this.#measure(), SECOND_MS);
  #before = performance.eventLoopUtilization();
  #slowdown = 1;
  #level = 0;

  /** Starts to measure. */
  constructor(redis: Shards) {
    this.#redis = redis;
    this.#servers = new Map(redis.shards.map(server => [server, new ServerLoad(server)]));
    // A series that is born with its first count would hide that count from Prometheus.
    for (const kind of SHED_KINDS) requestsShed(kind, 0);
  }

  /** The factor by which clients should poll less often than usual: 1, 2, 4, 8 or 16. */
  get slowdown(): number {
    return this.#slowdown;
  }

  /** How overloaded this process is, by the delay of its event loop: 0 for not at all, up to 3. */
  get level(): number {
    return this.#level;
  }

  /** A note for the operator while clicks are refused because Redis is nearly full. */
  get note(): string | undefined {
    return this.#loads.flatMap(({ fullness }) => fullness.note ?? [])[0];
  }

  admit(kind: ShedKind, saleId?: string): void {
    const from = SHED_FROM[kind];
    const server = saleId === undefined ? undefined : this.#servers.get(this.#redis.of(saleId));
    const saleLevel = server?.levels.get(saleId ?? '') ?? 0;
    // Only clicks take memory for good. Everything else finishes what was begun.
    const lacksRoom = kind === 'claim' && server?.fullness.refusesClicks;
    if (this.#level < from && saleLevel < from && !lacksRoom) return;
    requestsShed(kind, 1);
    throw OVERLOADED;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#loopDelay.close();
  }

  async #measure(): Promise<void> {
    const now = performance.eventLoopUtilization();
    this.#slowdown = nextSlowdown(this.#slowdown, performance.eventLoopUtilization(now, this.#before).utilization);
    this.#before = now;
    const delayMs = this.#loopDelay.read();
    this.#level = nextLevel(this.#level, delayMs, LOOP_DELAYS_MS);
    await Promise.all(this.#loads.map(load => load.read()));
    const refusesClicks = this.#loads.some(({ fullness }) => fullness.refusesClicks);
    const saleLevels = this.#loads.flatMap(({ levels }) => [...levels.values()]);
    loadMeasured({
      delayMs,
      outboxAgeMs: Math.max(...this.#loads.map(({ outboxAgeMs }) => outboxAgeMs)),
      redisFullness: Math.max(...this.#loads.map(({ fullness }) => fullness.ratio)),
      level: Math.max(this.#level, refusesClicks ? SHED_FROM.claim : 0, ...saleLevels),
    });
  }

  get #loads(): ServerLoad[] {
    return [...this.#servers.values()];
  }
}

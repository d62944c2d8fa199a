import { refusedFromMemory, storeFailed } from '#core/process/telemetry.js';
import type { Redis } from '#core/redis/connection.js';
import type { Feed } from '#core/redis/feed/feed.js';
import type { Listener } from '#core/redis/feed/followed-sale.js';
import { withDeadline } from '#core/rules/clock.js';
import { type Copying, startCopying } from './copying.js';
import type { Mirror, Refusal } from './mirror.js';

/** The most sales that are copied at the same time. */
const SALES_MAX = 20;

/** A copy that isn't ready by then is given up, in ms; reading a million buyers takes about 3 s. */
const LOAD_MS = 20_000;

/** After a copy was lost, the next one is made so much later, in ms; longer each time, if copies don't last. */
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;
const LASTED_MS = 10_000;

/** A sale that has units to give is looked at again after this time, in ms. */
const NO_USE_PAUSE_MS = 500;

/** A copy that nobody asked for this many looks of the feed is let go: about a minute. */
const IDLE_LOOKS = 120;

/** Refusals from the memory of this process, for sales that have nothing to give. */
export interface Mirrors {
  /** @returns why the buyer gets nothing; undefined when only Redis knows */
  refusalOf(saleId: string, buyerId: string): Refusal | undefined;
  /** Redis gave somebody no unit, so perhaps there is none any more: then a copy is worth having. */
  noted(saleId: string): void;
  close(): void;
}

interface Entry {
  mirror?: Mirror;
  unfollow(): void;
  sinceMs: number;
  pauseMs: number;
  /** No copy is made before. */
  notBeforeMs: number;
  idleLooks: number;
}

/**
 * @param redis a connection
 * @param feed what keeps the copies true; a copy is dropped as soon as a change may have been missed
 * @returns no copies yet
 */
export function createMirrors(redis: Redis, feed: Feed): Mirrors {
  const entries = new Map<string, Entry>();
  // Counted here and told by the look, as counting by name for each refusal costs as much as refusing.
  const refused: Record<Refusal, number> = { sold_out: 0, closed: 0 };

  const drop = (entry: Entry, pauseMs?: number): void => {
    const lasted = entry.mirror !== undefined && performance.now() - entry.sinceMs > LASTED_MS;
    entry.unfollow();
    entry.unfollow = () => undefined;
    delete entry.mirror;
    if (pauseMs === undefined) entry.pauseMs = lasted ? PAUSE_MIN_MS : Math.min(PAUSE_MAX_MS, 2 * entry.pauseMs);
    entry.notBeforeMs = performance.now() + (pauseMs ?? entry.pauseMs);
  };

  const report = (): void => {
    refusedFromMemory(refused);
    refused.sold_out = 0;
    refused.closed = 0;
  };

  const listenerOf = (entry: Entry, copying: Copying): Listener => ({
    changed(change) {
      if (!entry.mirror) copying.buffer(change);
      else if (!entry.mirror.apply(change)) drop(entry);
    },
    listening: () => copying.begin(),
    deaf: () => drop(entry),
    looked(pulse) {
      report();
      entry.idleLooks += 1;
      if (!pulse.verified || entry.idleLooks > IDLE_LOOKS) drop(entry);
      else entry.mirror?.expect(pulse);
    },
  });

  const open = (saleId: string, entry: Entry): void => {
    entry.notBeforeMs = Number.POSITIVE_INFINITY;
    entry.sinceMs = performance.now();
    entry.idleLooks = 0;
    let given = false;
    const copying = startCopying(redis, saleId);
    const stop = feed.follow(saleId, listenerOf(entry, copying));
    entry.unfollow = () => {
      given = true;
      copying.giveUp();
      stop();
    };
    if (feed.hears(saleId)) copying.begin();
    withDeadline(copying.done, LOAD_MS, 'copying a sale')
      .then(mirror => {
        if (given) return;
        if (mirror) Object.assign(entry, { mirror, sinceMs: performance.now() });
        else drop(entry, NO_USE_PAUSE_MS);
      })
      .catch(error => {
        storeFailed('redis', error);
        if (!given) drop(entry);
      });
  };

  return {
    refusalOf(saleId, buyerId) {
      const entry = entries.get(saleId);
      const refusal = entry?.mirror?.refusalOf(buyerId);
      if (entry === undefined || refusal === undefined) return undefined;
      entry.idleLooks = 0;
      refused[refusal] += 1;
      return refusal;
    },
    noted(saleId) {
      let entry = entries.get(saleId);
      if (!entry) {
        if (entries.size >= SALES_MAX && !makeRoom(entries)) return;
        entry = { unfollow: () => undefined, sinceMs: 0, pauseMs: PAUSE_MIN_MS, notBeforeMs: 0, idleLooks: 0 };
        entries.set(saleId, entry);
      }
      if (!entry.mirror && performance.now() >= entry.notBeforeMs) open(saleId, entry);
    },
    close() {
      for (const entry of entries.values()) entry.unfollow();
      entries.clear();
    },
  };
}

/** Forgets a sale of which there is no copy and none in the making. */
function makeRoom(entries: Map<string, Entry>): boolean {
  for (const [saleId, entry] of entries) {
    if (!entry.mirror && entry.notBeforeMs < performance.now()) return entries.delete(saleId);
  }
  return false;
}

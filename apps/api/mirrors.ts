import { withDeadline } from '#core/clock.js';
import { refusedFromMemory, storeFailed } from '#core/events.js';
import type { Redis } from '#core/redis.js';
import { scanBuyers } from '#core/stock/buyers.js';
import type { Change } from '#core/stock/changes.js';
import type { Feed } from '#core/stock/feed.js';
import type { Listener } from '#core/stock/followed-sale.js';
import { readStanding } from '#core/stock/standing.js';
import { Mirror, type Refusal } from './mirror.js';

/** The most buyers of one sale that are kept: about 200 bytes each. A larger sale asks Redis for every refusal. */
const BUYERS_MAX = 1_000_000;

/** The most sales that are copied at the same time. */
const SALES_MAX = 20;

/** A copy that isn't ready by then is given up, in ms; reading a million buyers takes about 3 s. */
const LOAD_MS = 20_000;

/** Changes that may come while a copy is made. */
const BUFFERED_MAX = 10_000;

/** After a copy was lost, the next one is made so much later, in ms; longer each time, if copies don't last. */
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;
const LASTED_MS = 10_000;

/** A sale that has units to give is looked at again after this time, in ms. */
const NO_USE_PAUSE_MS = 500;

/** A copy that nobody asked for this many looks of the feed is let go: about a minute. */
const IDLE_LOOKS = 120;

/** Answers from the memory of this process, for sales that have nothing to give. */
export interface Mirrors {
  /** @returns why the buyer gets nothing; undefined when only Redis knows */
  refusalOf(saleId: string, buyerId: string): Refusal | undefined;
  /** @returns the record of the buyer's live claim, if this process knows it for certain */
  recordOf(saleId: string, buyerId: string): string | undefined;
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

  const listenerOf = (entry: Entry, load: Loading): Listener => ({
    changed(change) {
      if (!entry.mirror) load.buffer(change);
      else if (!entry.mirror.apply(change)) drop(entry);
    },
    listening: () => load.begin(),
    deaf: () => drop(entry),
    looked({ version, verified, nowMs }) {
      report();
      entry.idleLooks += 1;
      if (!verified || entry.idleLooks > IDLE_LOOKS) drop(entry);
      else entry.mirror?.expect(version, nowMs);
    },
  });

  const open = (saleId: string, entry: Entry): void => {
    entry.notBeforeMs = Number.POSITIVE_INFINITY;
    entry.sinceMs = performance.now();
    entry.idleLooks = 0;
    let given = false;
    const load = startLoading(redis, saleId);
    const stop = feed.follow(saleId, listenerOf(entry, load));
    entry.unfollow = () => {
      given = true;
      load.giveUp();
      stop();
    };
    if (feed.hears(saleId)) load.begin();
    withDeadline(load.done, LOAD_MS, 'copying a sale')
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
    recordOf(saleId, buyerId) {
      const entry = entries.get(saleId);
      const record = entry?.mirror?.recordOf(buyerId);
      if (entry !== undefined && record !== undefined) entry.idleLooks = 0;
      return record;
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

interface Loading {
  /** The copy; undefined when there is no room for one, or no use. */
  done: Promise<Mirror | undefined>;
  /** Starts, once changes are heard; or starts over. */
  begin(): void;
  buffer(change: Change): void;
  giveUp(): void;
}

/** Copies a sale: changes are heard first, then everything is read, then the changes since are applied. */
function startLoading(redis: Redis, saleId: string): Loading {
  const buffered: Change[] = [];
  let begun = false;
  let over = false;
  let settle: (copy: Promise<Mirror | undefined> | undefined) => void = () => undefined;
  const done = new Promise<Mirror | undefined>(resolve => {
    settle = resolve;
  });

  const copy = async (): Promise<Mirror | undefined> => {
    const standing = await readStanding(redis, saleId);
    const { verified, free, waiting, state, closesAtMs, claims } = standing;
    const isOver = state === 'closed' || standing.nowMs >= closesAtMs;
    if (!verified || !(isOver || free === 0) || claims + waiting > BUYERS_MAX) return undefined;
    const mirror = new Mirror(standing);
    await scanBuyers(redis, saleId, buyer => {
      if (!over) mirror.take(buyer);
    });
    // What was scanned may be newer than what was told: it is good once everything up to here was told.
    const { version, nowMs } = await readStanding(redis, saleId);
    mirror.expect(version, nowMs);
    const isWhole = buffered.length < BUFFERED_MAX && buffered.every(change => mirror.apply(change));
    return isWhole && !over ? mirror : undefined;
  };

  return {
    done,
    begin() {
      if (begun || over) return;
      begun = true;
      settle(copy());
    },
    buffer(change) {
      if (buffered.length < BUFFERED_MAX) buffered.push(change);
    },
    giveUp() {
      over = true;
      settle(undefined);
    },
  };
}

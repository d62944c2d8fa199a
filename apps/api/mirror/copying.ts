import type { Redis } from '#core/redis/connection.js';
import type { Change } from '#core/redis/feed/changes.js';
import { scanBuyers } from '#core/redis/sale/buyers.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { Mirror } from './mirror.js';

/** The most buyers of one sale that are kept: about 100 bytes each. A larger sale asks Redis for every refusal. */
const BUYERS_MAX = 1_000_000;

/** Changes that may come while a copy is made. */
const BUFFERED_MAX = 10_000;

/** A copy of a sale in the making. */
export interface Copying {
  /** The copy; undefined when there is no room for one, or no use. */
  done: Promise<Mirror | undefined>;
  /** Starts, once changes are heard; does nothing the second time. */
  begin(): void;
  buffer(change: Change): void;
  giveUp(): void;
}

/**
 * Copies a sale: changes are heard first, then everything is read, then the changes since are applied.
 *
 * @param redis a connection
 * @param saleId the sale
 * @returns the copying; it waits to be begun
 */
export function startCopying(redis: Redis, saleId: string): Copying {
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
    const askedAtMs = performance.now();
    mirror.expect({ ...(await readStanding(redis, saleId)), askedAtMs });
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

import { crashStep } from '#core/process/crash-point.js';
import { enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePlaceOrders } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { type Claim, PLACE_BATCH_MAX } from '#core/rules/claim.js';

/**
 * Winners wait so long for others of their sale, in ms, to be one job. A job costs the queue as much as placing 20 orders, and
 * an order is placed within a second: jobs of 64 claims became jobs of 256, and a backlog drained 1.6 times as fast. With
 * 20 ms instead of 10, an order of a sale that wins 6,500 a second costs the worker 52 µs instead of 65 (bench/README.md).
 */
const HELD_MS = 20;

/** The winners who are on their way to the queue. */
export interface Winners {
  /** Nobody waits for the queue: the outbox, written with the claims, is what was promised to them. */
  add(saleId: string, claims: Claim[]): void;
  /** @returns once all of them are queued, or it has failed; it never rejects */
  flush(): Promise<void>;
}

/**
 * Makes the winners of a few event-loop turns one job per sale.
 *
 * @param queues where they go
 * @returns nobody yet
 */
export function holdWinners(queues: Queues): Winners {
  const held = new Map<string, Claim[]>();
  let timer: NodeJS.Timeout | undefined;

  const send = (saleId: string, claims: Claim[]): Promise<void> =>
    crashStep('claim.queue', () => enqueuePlaceOrders(queues, { saleId, claims })).catch(error =>
      enqueueFailed('place-orders', error),
    );

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const jobs = [...held];
    held.clear();
    await Promise.all(jobs.map(([saleId, claims]) => send(saleId, claims)));
  };

  return {
    add(saleId, claims) {
      if (claims.length === 0) return;
      const others = held.get(saleId) ?? [];
      if (others.length + claims.length > PLACE_BATCH_MAX) {
        void send(saleId, others);
        held.set(saleId, claims);
      } else {
        held.set(saleId, others.concat(claims));
      }
      timer ??= setTimeout(() => void flush(), HELD_MS);
    },
    flush,
  };
}

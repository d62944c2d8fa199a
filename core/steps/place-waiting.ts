import { setTimeout } from 'node:timers/promises';
import { beginPlaceWaiting, enqueuePlaceWaiting } from '../queue/enqueue.js';
import type { JobData } from '../queue/jobs.js';
import { beginPlacing, endPlacing, outboxPages, renewPlacing } from '../redis/claims/outbox.js';
import { type Claim, PLACE_BATCH_MAX } from '../rules/claim.js';
import { chunks } from '../values/chunks.js';
import type { StepContext } from './context.js';
import { placeOrders } from './place-orders.js';

/** Batches of one sale that are placed at once. While Postgres inserts one, another is recorded in Redis. */
export const PLACE_BATCHES = 2;

/** The most claims that are read at once. At the end of a page some batches wait for others, so a page has many. */
const PAGE_MAX = 16 * PLACE_BATCH_MAX;

/**
 * The least time for a page that is not full, in ms. A batch costs the stores as much as 20 orders, so a few claims
 * wait for the next ones: with 20 ms instead of 10, an order cost the worker 53 µs instead of 65 (bench/README.md). It
 * is little beside the second within which an order is placed.
 */
const PAGE_MS = 20;

/**
 * The longest turn of a sale in a worker, in ms. A busy sale never empties its outbox, and more sales than jobs at once
 * may be busy.
 */
const TURN_MS = 200;

/**
 * Makes the claims in a sale's outbox orders, until it is empty. A busy sale gets another turn after the other sales
 * that wait. A second job of the sale ends at once: this one looks again after it has let go. Should two workers place
 * the same claims, only one inserts each order. After an error other jobs of the sale end at once for 2 s more, so that
 * they do not fail for the same reason.
 *
 * @throws NotVerified and the stores' errors: the job is repeated, and rescue places the claims as well
 */
export async function placeWaiting(ctx: StepContext, job: JobData<'place-waiting'>): Promise<void> {
  await beginPlaceWaiting(ctx.queues, job);
  if (!(await beginPlacing(ctx.redis, job.saleId))) return;
  if (await placePages(ctx, job.saleId)) return;
  await endPlacing(ctx.redis, job.saleId);
  await enqueuePlaceWaiting(ctx.queues, job);
}

/**
 * Places the claims of a sale page by page, until its outbox is empty or its turn is over.
 *
 * @returns true after {@link endPlacing}, when the outbox is empty or another worker has taken it over; false when the
 * turn is over, and this worker still counts as placing
 */
async function placePages(ctx: StepContext, saleId: string): Promise<boolean> {
  const endsAt = performance.now() + TURN_MS;
  let isHeld = true;
  for await (const claims of outboxPages(ctx.redis, saleId, { limit: PAGE_MAX })) {
    if (claims.length === 0) {
      if (!isHeld) return true;
      // The job of a claim that is won now may still find this one at work. So the next page comes after the end.
      await endPlacing(ctx.redis, saleId);
      isHeld = false;
      continue;
    }
    isHeld ||= await beginPlacing(ctx.redis, saleId);
    if (!isHeld) return true;
    const startedAt = performance.now();
    await placeAll(ctx, saleId, claims);
    const endedAt = performance.now();
    if (endedAt > endsAt) return false;
    if (claims.length < PLACE_BATCH_MAX) await setTimeout(Math.max(0, PAGE_MS - (endedAt - startedAt)));
  }
  return true;
}

/**
 * Places the claims of a page in batches.
 *
 * @throws the first error, after every batch under way has ended, so that none runs beside the next attempt
 */
async function placeAll(ctx: StepContext, saleId: string, claims: Claim[]): Promise<void> {
  // The lanes share the batches. An error in one lane ends the batches for all of them.
  const batches = chunks(claims, PLACE_BATCH_MAX);
  const lane = async () => {
    for (const batch of batches) {
      // Without the renewal, another worker may place the same claims: that costs time and no claim.
      renewPlacing(ctx.redis, saleId).catch(() => undefined);
      await placeOrders(ctx, { saleId, claims: batch });
    }
  };
  for (const outcome of await Promise.allSettled(Array.from({ length: PLACE_BATCHES }, lane))) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

import { crashPoint, crashStep } from '../process/crash-point.js';
import { paymentsRescued } from '../process/money-telemetry.js';
import { claimsRescued } from '../process/telemetry.js';
import { isPlacing, outboxPages, type WaitingClaim } from '../redis/claims/outbox.js';
import { type PayClick, readPayClicks } from '../redis/claims/pay-click.js';
import { type Mark, readMarked } from '../redis/marks.js';
import { msOf } from '../redis/replies.js';
import { PLACE_BATCH_MAX } from '../rules/claim.js';
import type { StepContext } from '../steps/context.js';
import { takeClick } from '../steps/pay-order.js';
import { placeOrders } from '../steps/place-orders.js';
import { inTurn } from '../values/in-turn.js';

/**
 * Age at which an unplaced claim in the outbox counts as abandoned, in ms. Normally a claim becomes an order faster
 * (p99 below 1 s). So every claim still gets its order within 15 s of any one fault.
 */
export const RESCUE_AFTER_MS = 5_000;

/** Age at which an unplaced claim counts as abandoned although a worker places those of its sale: it may fail each time. */
const RESCUE_ANYWAY_AFTER_MS = 8_000;

/** The most clicks to pay taken for one sale in a round; the next round takes more. */
const RESCUE_CLICKS_MAX = 500;

/**
 * Makes orders of the claims in Redis that have waited too long for theirs, in every sale that is marked. A claim whose order Postgres
 * refuses for good is given up: its unit becomes free again. Then takes the payments that have waited too long.
 *
 * @returns the number of claims that became orders or were given up
 * @throws Failures with every error, after every marked sale was tried
 */
export async function rescueAll(ctx: StepContext): Promise<number> {
  let rescued = 0;
  // A server that is away keeps no claim of another one from being placed.
  const each = (mark: Mark, rescuing: (saleId: string) => Promise<void>) =>
    inTurn(ctx.redis.shards, async server =>
      inTurn(await readMarked(server, mark), rescuing, saleId => `sale ${saleId}`),
    );
  const rescueOne = async (saleId: string) => {
    rescued += await rescue(ctx, saleId);
  };
  await inTurn(
    [() => each('unplaced', rescueOne), () => each('clicked', saleId => rescuePayments(ctx, saleId))],
    half => half(),
  );
  return rescued;
}

/**
 * Takes the payments that buyers asked for a while ago, because their jobs wait in a paused or slow queue, or are lost.
 *
 * @param olderThanMs least age of a click to pay, in ms
 * @throws Failures with every error, after every click was tried
 */
export async function rescuePayments(ctx: StepContext, saleId: string, olderThanMs = RESCUE_AFTER_MS): Promise<void> {
  const clicks = await readPayClicks(ctx.redis, saleId, { olderThanMs, limit: RESCUE_CLICKS_MAX });
  let taken = 0;
  const take = async (click: PayClick) => {
    if ((await takeClick(ctx, { saleId, ...click })).isNew) taken += 1;
  };
  await inTurn(clicks, take, ({ claimId }) => `order ${claimId}`).finally(() => paymentsRescued(saleId, taken));
}

/**
 * Places the claims that stayed in the outbox too long: a process died, or the queue lost their job. Only the outbox
 * counts, never the state of a job. A sale whose claims a worker places right now has a backlog and no lost claim,
 * unless that worker fails each time. Two processes may place a claim at once: the primary key lets one insert the
 * order, which the other reads. Each claim is tried once in a round: one that Postgres refuses even as a tombstone stays
 * in the outbox, and does not keep rescue from the later ones.
 *
 * @param olderThanMs least age of a claim since it was won, in ms
 * @returns the number of claims tried
 * @throws the stores' errors: the claims stay in the outbox for the next round
 */
export async function rescue(ctx: StepContext, saleId: string, olderThanMs = RESCUE_AFTER_MS): Promise<number> {
  let tried = 0;
  for await (const claims of outboxPages(ctx.redis, saleId, { olderThanMs, limit: PLACE_BATCH_MAX })) {
    if (claims.length === 0 || (tried === 0 && (await isLeftToWorker(ctx, saleId, claims)))) return tried;
    await crashPoint('rescue.read');
    await crashStep('rescue.place', () => placeOrders(ctx, { saleId, claims }));
    claimsRescued(claims.length);
    tried += claims.length;
  }
  return tried;
}

/** Tells whether a worker places the claims of a sale, and the oldest of them has not waited for too long beside it. */
async function isLeftToWorker({ redis }: StepContext, saleId: string, oldest: WaitingClaim[]): Promise<boolean> {
  const [isBusy, time] = await Promise.all([isPlacing(redis, saleId), redis.of(saleId).time()]);
  return isBusy && msOf(time) - (oldest[0]?.wonAtMs ?? 0) < RESCUE_ANYWAY_AFTER_MS;
}

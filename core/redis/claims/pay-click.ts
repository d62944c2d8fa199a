import { type ClaimRecord, parseClaimRecord } from '../../rules/claim.js';
import { keysOf, payClicksKeyOf, registryKeyOf } from '../keys.js';
import { msOf, refuseMoved, repliesOf } from '../replies.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';
import { type Page, readAges, readOldest } from './waiting.js';

/** An order that its buyer asked to pay in time, and that nobody has decided about. */
export interface PayClick {
  claimId: string;
  buyerId: string;
  /** Time of the buyer's latest click, in ms by Redis's clock. */
  clickedAtMs: number;
}

/** The result of a click to pay. */
export interface ClickedToPay {
  /** The claim of the buyer; missing for a buyer without one. */
  claim?: ClaimRecord;
  /** Whether the buyer has asked to pay the order before its deadline, with this click or an earlier one. */
  inTime: boolean;
}

const memberOf = ({ claimId, buyerId }: Pick<PayClick, 'claimId' | 'buyerId'>) => `${claimId} ${buyerId}`;

/**
 * Writes that a buyer asks to pay an order. The click is kept with the claim until its order is paid, or refused, or has
 * an address to pay at. So the time of the click counts, wherever the queue or a worker is.
 *
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis; ioredis's
 * error
 */
export async function clickToPay(redis: Shards, saleId: string, buyerId: string): Promise<ClickedToPay> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis.of(saleId), 'click-to-pay', {
    keys: [keys.sale, keys.claims, payClicksKeyOf(saleId)],
    args: [buyerId],
  });
  const [record, counts] = behindFence<string | number>(reply, saleId);
  return { inTime: counts === 1, ...(record ? { claim: parseClaimRecord(String(record)) } : {}) };
}

/**
 * Reads when buyers asked to pay their orders.
 *
 * @param orders at least 1, of one sale
 * @returns the time of each one's click, undefined without an undecided click, and the time before they were read. All in
 * ms by Redis's clock
 * @throws NotVerified when the keys were moved: a click that is not found would cancel its order; ioredis's error
 */
export async function readClickTimes(
  redis: Shards,
  saleId: string,
  orders: readonly Pick<PayClick, 'claimId' | 'buyerId'>[],
): Promise<{ clickedAtMs: (number | undefined)[]; readAtMs: number }> {
  const replies = await redis
    .of(saleId)
    .pipeline()
    .time()
    .zmscore(payClicksKeyOf(saleId), ...orders.map(memberOf))
    // It comes last, and fails when the keys were moved before.
    .hlen(registryKeyOf(saleId))
    .exec()
    .then(repliesOf<[[string, string], (string | null)[]]>)
    .catch(refuseMoved);
  const [time, scores] = replies;
  return { clickedAtMs: scores.map(score => (score === null ? undefined : Number(score))), readAtMs: msOf(time) };
}

/** Reads the clicks to pay that nobody has decided about for a while, the oldest first. */
export async function readPayClicks(redis: Shards, saleId: string, page: Page): Promise<PayClick[]> {
  const entries = await readOldest(redis.of(saleId), payClicksKeyOf(saleId), page);
  return entries.map(({ member, atMs: clickedAtMs }) => {
    const [claimId = '', buyerId = ''] = member.split(' ');
    return { claimId, buyerId, clickedAtMs };
  });
}

/** Removes a decided click. A later click of the same buyer stays. */
export async function dropPayClick(redis: Shards, saleId: string, click: PayClick): Promise<void> {
  const args = [memberOf(click), click.clickedAtMs];
  await runScript(redis.of(saleId), 'drop-pay-click', { keys: [payClicksKeyOf(saleId)], args });
}

/** Reads the age of the oldest undecided click to pay of all sales, in ms by Redis's clock; 0 without one. */
export async function payClicksAgeMs(redis: Shards): Promise<number> {
  const ages = await readAges(redis, { mark: 'clicked', keyOf: payClicksKeyOf }, 0);
  return Math.max(0, ...ages.values());
}

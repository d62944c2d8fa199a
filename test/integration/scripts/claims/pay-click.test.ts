import { describe, expect, test } from '@jest/globals';
import { clickToPay, dropPayClick, readClickTimes } from '#core/redis/claims/pay-click.js';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { keysOf, payClicksKeyOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../../support/eventually.js';
import { readRedisMs } from '../../../support/redis/clock.js';
import { cutPipeline } from '../../../support/redis/cut-pipeline.js';
import { openTestSale, winOne } from '../../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../../support/stores/keyspace.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

const HOUR_MS = 3_600_000;

/** Opens a sale in which buyer a has an order whose time to pay ends in that many ms. */
async function saleWithOrder(leftMs: number): Promise<{ sale: Sale; order: Claim }> {
  const sale = await openTestSale(t);
  const order = await winOne(t, sale, 'a');
  await placed(sale, order, leftMs);
  return { sale, order };
}

const placed = async (sale: Sale, order: Claim, leftMs: number) => {
  const payByMs = (await readRedisMs(t.redis)) + leftMs;
  return recordStatus(t.redis, sale.id, [{ ...order, status: 'pending_payment', payByMs }]);
};

const click = (sale: Sale) => clickToPay(t.redis, sale.id, 'a');
const memberOf = ({ claimId }: Claim) => `${claimId} a`;
const clicksOf = (sale: Sale) => t.redis.zrange(payClicksKeyOf(sale.id), '0', '-1', 'WITHSCORES');

describe('a click to pay', () => {
  test('before the deadline counts, and is kept with the time of Redis', async () => {
    const { sale, order } = await saleWithOrder(HOUR_MS);
    const from = await readRedisMs(t.redis);
    expect(await click(sale)).toMatchObject({ inTime: true, claim: { claimId: order.claimId } });
    const [member, time] = await clicksOf(sale);
    expect(member).toBe(memberOf(order));
    expect(Number(time)).toBeGreaterThanOrEqual(from);
    expect(Number(time)).toBeLessThanOrEqual(await readRedisMs(t.redis));
  });

  test('again keeps the later time', async () => {
    const { sale, order } = await saleWithOrder(HOUR_MS);
    await t.redis.zadd(payClicksKeyOf(sale.id), 5, memberOf(order));
    await click(sale);
    const [, time] = await clicksOf(sale);
    expect(Number(time)).toBeGreaterThan(5);
  });

  test('after the deadline counts only if an earlier one was in time and is undecided', async () => {
    const { sale, order } = await saleWithOrder(-HOUR_MS);
    expect(await writesNothing(t.redis, () => click(sale))).toMatchObject({ inTime: false, claim: { unit: 1 } });
    await t.redis.zadd(payClicksKeyOf(sale.id), 5, memberOf(order));
    expect(await writesNothing(t.redis, () => click(sale))).toMatchObject({ inTime: true });
  });

  test('for a claim without an order, for an ended one or for none is not kept', async () => {
    const sale = await openTestSale(t);
    expect(await writesNothing(t.redis, () => click(sale))).toEqual({ inTime: false });
    const won = await winOne(t, sale, 'a');
    const queued = await writesNothing(t.redis, () => click(sale));
    expect(queued).toMatchObject({ inTime: false, claim: { status: 'queued' } });
    await placed(sale, won, HOUR_MS);
    await release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    const ended = await writesNothing(t.redis, () => click(sale));
    expect(ended).toMatchObject({ inTime: false, claim: { status: 'cancelled' } });
  });
});

test('the reply of the script is the record, and 1 if the buyer asked in time, else 0', async () => {
  const { sale, order } = await saleWithOrder(-HOUR_MS);
  const { sale: fields, claims } = keysOf(sale.id);
  const reply = (buyerId: string) =>
    runScript(t.redis, 'click-to-pay', { keys: [fields, claims, payClicksKeyOf(sale.id)], args: [buyerId] });
  const record = await t.redis.hget(claims, 'a');
  expect(await reply('nobody')).toEqual(['ok', '', 0]);
  expect(await reply('a')).toEqual(['ok', record, 0]);
  await t.redis.zadd(payClicksKeyOf(sale.id), 5, memberOf(order));
  expect(await reply('a')).toEqual(['ok', record, 1]);
});

// Expiry takes an order without a click for unpaid, if its deadline was over at the time of the answer.
test('a click that is missing from an answer came after the time of the answer', async () => {
  const { sale, order } = await saleWithOrder(HOUR_MS);
  let clickedByMs = 0;
  const cut = await cutPipeline(t.redisUrl, ['TIME', 'ZMSCORE'], async () => {
    await click(sale);
    clickedByMs = await readRedisMs(t.redis);
    // Otherwise both could be in the same ms.
    await eventually(async () => expect(await readRedisMs(t.redis)).toBeGreaterThan(clickedByMs));
  });
  try {
    const { clickedAtMs, readAtMs } = await readClickTimes(cut.redis, sale.id, [order]);
    expect(clickedByMs).toBeGreaterThan(0);
    expect({ isMissing: clickedAtMs[0] === undefined && readAtMs > clickedByMs }).toEqual({ isMissing: false });
  } finally {
    cut.close();
  }
});

describe('a decided click', () => {
  const member = '01900000-0000-7000-8000-000000000001 a';
  const drop = (sale: Sale, time: number) =>
    runScript(t.redis, 'drop-pay-click', { keys: [payClicksKeyOf(sale.id)], args: [member, time] });

  test('is removed, and a later one of the same buyer stays', async () => {
    const sale = await openTestSale(t);
    await t.redis.zadd(payClicksKeyOf(sale.id), 1_700_000_000_000, member);
    expect(await writesNothing(t.redis, () => drop(sale, 1_699_999_999_999))).toBe(0);
    expect(await drop(sale, 1_700_000_000_000)).toBe(1);
    expect(await clicksOf(sale)).toEqual([]);
    expect(await drop(sale, 1_700_000_000_000)).toBe(0);
  });

  test('is removed also while Redis is full', async () => {
    const { sale, order } = await saleWithOrder(HOUR_MS);
    await click(sale);
    const clickedAtMs = Number((await clicksOf(sale))[1]);
    const decided = { claimId: order.claimId, buyerId: 'a', clickedAtMs };
    await whileFull(t.redis, () => dropPayClick(t.redis, sale.id, decided));
    expect(await clicksOf(sale)).toEqual([]);
  });
});

describe('guards', () => {
  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const { sale } = await saleWithOrder(HOUR_MS);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(click(sale)).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(click(nowhere)).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const { sale } = await saleWithOrder(HOUR_MS);
    const keys = keysOf(sale.id);
    await expectTypesChecked(t.redis, [keys.sale, keys.claims, payClicksKeyOf(sale.id)], () => click(sale));
  });

  test('a full Redis still keeps the click', async () => {
    const { sale } = await saleWithOrder(HOUR_MS);
    expect(await whileFull(t.redis, () => click(sale))).toMatchObject({ inTime: true });
  });
});

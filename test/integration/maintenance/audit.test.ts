import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { promote } from '#core/redis/claims/release.js';
import { keysOf } from '#core/redis/keys.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { backdateDeadlines, forceClaim, loseClaim } from '../../support/stores/by-hand.js';
import { dumpKeys } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const PRICE = 500;
const violations = async (saleId: string) => (await audit(t.db, t.redis, saleId))?.violations;

interface Made {
  sale: Sale;
  /** Unit 1, of buyer `a`, paid. */
  paid: Claim;
  /** Unit 2, of buyer `b`, to be paid. */
  due: Claim;
}

async function goodSale(): Promise<Made> {
  const sale = await openTestSale(t, { units: 4, priceMinor: PRICE });
  const [paid, due] = await win(t, sale, 'a', 'b');
  if (!paid || !due) throw new Error('both should have won');
  await placeOrders(t, { saleId: sale.id, claims: [paid, due] });
  await creditWallets(t.db, ['a'], { amountMinor: PRICE, currency: 'EUR' });
  await payOrder(t, { saleId: sale.id, claimId: paid.claimId, buyerId: 'a' });
  return { sale, paid, due };
}

describe('the standby', () => {
  const saleWithStandby = async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    await win(t, sale, 'a', 'b', 'c');
    await placeOrders(t, { saleId: sale.id, claims: [await claimOf(sale, 'a')] });
    return sale;
  };
  const claimOf = async (sale: Sale, buyerId: string): Promise<Claim> => {
    const claim = (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);
    if (!claim) throw new Error(`${buyerId} holds nothing`);
    return { buyerId, ...claim };
  };

  test.each([
    ['no violation', undefined, []],
    [
      'a holder on standby',
      ['3', 'a'],
      ['I3 a is in line and holds the claim of unit 1', 'line: 3 are in a line for 2'],
    ],
    ['too many buyers on standby', ['3', 'd'], ['line: 3 are in a line for 2']],
    ['two buyers at one position', ['1', 'c'], ['line: no certain place in line: c']],
    ['a position that was never given out', ['9', 'c'], ['line: no certain place in line: c']],
  ])('the audit finds %s', async (_, entry, expected) => {
    const sale = await saleWithStandby();
    await t.redis.hset(keysOf(sale.id).sale, 'standbySeq', entry?.[0] === '3' ? '3' : '2');
    if (entry) await t.redis.zadd(keysOf(sale.id).standby, ...entry);
    expect(await violations(sale.id)).toEqual(expected);
  });
});

describe('a sale without a violation', () => {
  test('the audit of a sale without a violation has its counts', async () => {
    const { sale } = await goodSale();
    await winOne(t, sale, 'c');
    expect(await audit(t.db, t.redis, sale.id)).toEqual({
      sale: sale.id,
      ok: true,
      violations: [],
      units: 4,
      free: 1,
      claims: 3,
      unplaced: 1,
      waiting: 0,
      orders: expect.objectContaining({ orders: 2, live: 2, paid: 1, unitsPlaced: 2 }),
      booksWalkedAt: null,
    });
  });

  test('an unknown sale has no audit', async () => {
    expect(await audit(t.db, t.redis, 'nowhere')).toBeUndefined();
  });

  test('a busy sale has no violation at any moment', async () => {
    const sale = await openTestSale(t, { units: 60, standbyFactor: 2, priceMinor: PRICE });
    let done = false;
    const crowd = async (name: string) => {
      await creditWallets(t.db, buyers(30, name), { amountMinor: PRICE, currency: 'EUR' });
      for (const buyerId of buyers(30, name)) {
        const claims = [...(await win(t, sale, buyerId)), ...(await promote(t.redis, sale.id))];
        if (claims.length > 0) await placeOrders(t, { saleId: sale.id, claims });
        for (const claim of claims) {
          if (claim.unit % 3 === 0)
            await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId: claim.buyerId });
          if (claim.unit % 3 === 1) await cancelOrder(t, { saleId: sale.id, ...claim });
        }
      }
    };
    const auditing = (async () => {
      const found: string[] = [];
      while (!done) found.push(...((await violations(sale.id)) ?? []));
      return found;
    })();
    await Promise.all(['x', 'y', 'z', 'w'].map(crowd)).finally(() => {
      done = true;
    });
    expect(await auditing).toEqual([]);
    expect(await violations(sale.id)).toEqual([]);
  });

  test('an audit changes nothing', async () => {
    const { sale } = await goodSale();
    const before = await dumpKeys(t.redis);
    await audit(t.db, t.redis, sale.id);
    expect(await dumpKeys(t.redis)).toEqual(before);
  });
});

describe('violations', () => {
  const seenByRedis: [string, RegExp, (made: Made) => Promise<unknown>][] = [
    ['a unit is in stock twice', /^I1 .*: 3$/, ({ sale }) => t.redis.rpush(keysOf(sale.id).stock, 3)],
    ['a unit is in stock and in a claim', /^I1 .*: 1$/, ({ sale }) => t.redis.rpush(keysOf(sale.id).stock, 1)],
    ['a unit is gone', /^I1 .*: 3$/, ({ sale }) => t.redis.lpop(keysOf(sale.id).stock)],
    ['there is a unit too many', /^I1 .*: 5$/, ({ sale }) => t.redis.rpush(keysOf(sale.id).stock, 5)],
    ['Redis lacks the claim of an order', /^I4 .* lacks its claim/, ({ sale, due }) => loseClaim(t, sale.id, due)],
    ['Redis keeps a claim that ended', /^I4 .* has ended/, ({ sale, due }) => cancelRow(t.db, sale.id, due)],
    [
      'Redis is behind an order',
      /^I4 .* does not say so/,
      ({ sale, due }) => forceClaim(t, sale.id, due, { outbox: false }),
    ],
    [
      'the sale is not in Redis',
      /^I4 the sale is not loaded/,
      ({ sale }) => t.redis.unlink(...Object.values(keysOf(sale.id))),
    ],
    [
      'a claim has neither order nor outbox entry',
      /^I6 .* neither an order nor/,
      ({ sale }) => forceClaim(t, sale.id, aClaim({ unit: 3 }), { outbox: false }),
    ],
    [
      'a claim waits for its order',
      /^I6 the claim of .* waited/,
      ({ sale }) => forceClaim(t, sale.id, aClaim({ unit: 3 })),
    ],
  ];

  test.each(seenByRedis)('the audit finds that %s (%s)', async (_fault, violation, damage) => {
    const made = await goodSale();
    await damage(made);
    const result = await audit(t.db, t.redis, made.sale.id);
    expect(result?.ok).toBe(false);
    expect(result?.violations).toEqual([expect.stringMatching(violation)]);
  });

  // Each rule about orders and money has its damage in audit/rules.test.ts.
  test('the audit names a broken rule about orders, and the number of rows that break it', async () => {
    const { sale, due } = await goodSale();
    await backdateDeadlines(t, [due], 16);
    expect(await violations(sale.id)).toContain('I6 an order is 15 s past its deadline: 1');
  });
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { keysOf } from '#core/redis/keys.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import type { Evidence } from '../../chaos/history/evidence.js';
import type { Operation } from '../../chaos/history/history.js';
import { readOrderFacts } from '../../chaos/rig/facts.js';
import { checkRun } from '../../chaos/verdict.js';
import { createQuery, type Query } from '../../chaos/workload/query.js';
import { factsOf } from '../../chaos/workload/world.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

// The verdict of `npm run chaos` on real stores: each of its checks is shown what it is there to find.

const t = useStores();
let query: Query;

beforeAll(() => {
  query = createQuery(t.databaseUrl);
});

/** A sale whose only unit was bought, and the history of its buyer. */
interface Made {
  evidence: Evidence;
  claim: { claimId: string; unit: number; buyerId: string };
  click: Operation;
}

async function boughtSale(): Promise<Made> {
  const sale = await openTestSale(t, { units: 1 });
  const claim = await winOne(t, sale, 'ann');
  const { claimId, unit } = claim;
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await creditWallets(t.db, ['ann'], { amountMinor: sale.priceMinor, currency: sale.currency });
  await payOrder(t, { saleId: sale.id, claimId, buyerId: 'ann' });
  const call = { saleId: sale.id, buyerId: 'ann', outcome: 'ok' } as const;
  const endedAtMs = Date.now();
  const times = { invokedAtMs: endedAtMs - 60_000, endedAtMs };
  const click: Operation = { op: 1, call: 'buy', http: 202, status: 'queued', claimId, unit, ...call, ...times };
  const pay: Operation = { op: 2, call: 'pay', http: 202, ...call, ...times };
  const orders = (await readOrderFacts(query)).filter(({ saleId }) => saleId === sale.id);
  const evidence: Evidence = {
    sales: factsOf([sale]),
    operations: [click, pay],
    orders,
    bank: [],
    payments: [],
    redisLostData: false,
    releaseWithinMs: 30_000,
  };
  return { evidence, claim, click };
}

const violationsOf = ({ evidence }: Pick<Made, 'evidence'>, inFlight: string[] = []): Promise<string[]> =>
  checkRun({ evidence, inFlight, connections: t, query });

/** Returns the checks that found something: the words before the first colon of each violation. */
const checksOf = (violations: string[]): string[] => [...new Set(violations.map(line => line.split(':')[0] ?? ''))];

test('a sale that was bought in order has no violation', async () => {
  expect(await violationsOf(await boughtSale())).toEqual([]);
});

describe('a run of chaos is broken by', () => {
  test('work that did not come to rest', async () => {
    const violations = await violationsOf(await boughtSale(), ['1 claim is not placed']);
    expect(violations).toEqual(['rest: 1 claim is not placed']);
  });

  test('an answer that contradicts the orders', async () => {
    const { evidence, click } = await boughtSale();
    const later = { ...click, op: 3, invokedAtMs: click.endedAtMs + 1, endedAtMs: click.endedAtMs + 2 };
    const poll: Operation = { ...later, call: 'order-status', http: 200, status: 'cancelled' };
    const violations = await violationsOf({ evidence: { ...evidence, operations: [...evidence.operations, poll] } });
    expect(checksOf(violations)).toContain('one_end');
  });

  test('a balance that no transfer explains', async () => {
    const made = await boughtSale();
    await query("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE owner = 'ann'");
    const violations = await violationsOf(made);
    await query("UPDATE accounts SET balance_minor = balance_minor - 1 WHERE owner = 'ann'");
    expect(checksOf(violations)).toEqual(expect.arrayContaining(['sql', 'audit']));
  });

  test('a claim that is missing in Redis', async () => {
    const made = await boughtSale();
    await loseClaim(t, made.evidence.sales[0]?.id ?? '', made.claim);
    expect(checksOf(await violationsOf(made))).toEqual(['stores', 'audit']);
  });

  test('an end without payment that Redis does not count', async () => {
    const { evidence } = await boughtSale();
    const sale = await openTestSale(t, { units: 1, unpaidLimit: 2 });
    await cancelOrder(t, { saleId: sale.id, ...(await winOne(t, sale, 'bob')) });
    const judged = { evidence: { ...evidence, sales: [...evidence.sales, ...factsOf([sale])] } };
    expect(await violationsOf(judged)).toEqual([]);
    const { claims } = keysOf(sale.id);
    await t.redis.hset(claims, 'bob', String(await t.redis.hget(claims, 'bob')).replace(' strikes=1', ''));
    expect(await violationsOf(judged)).toEqual([
      `stores: ${sale.id}: strikes in Postgres and not in Redis: bob 1`,
      expect.stringMatching(/^audit: .* has 1 ends without payment, and Redis says 0$/),
    ]);
  });

  test('a sale that is not in Postgres', async () => {
    const { evidence } = await boughtSale();
    const [sale] = evidence.sales;
    if (!sale) throw new Error('there is a sale');
    const sales = [...evidence.sales, { ...sale, id: 'nowhere', units: 0 }];
    expect(await violationsOf({ evidence: { ...evidence, sales } })).toEqual(['audit: nowhere: no such sale']);
  });
});

import { describe, expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readBuyerOrders } from '#core/postgres/orders/buyer-orders.js';
import { cancelRow, expireRows, insertTombstones, readOverdue } from '#core/postgres/orders/end-orders.js';
import { insertOrders, insertUnpaidOrders } from '#core/postgres/orders/insert-orders.js';
import { ORDER_PAGE, orderPages, readLatestOrders, withdrawnPages } from '#core/postgres/orders/sale-orders.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { aClaim, openTestSale } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

// The statements about orders, with other connections that hold rows.

const t = useStores();

/** Returns as many claims of different buyers and units, in the order of their ids. */
const someClaims = (count: number): Claim[] =>
  Array.from({ length: count }, (_, i) => aClaim({ unit: i + 1 })).sort((a, b) => (a.claimId < b.claimId ? -1 : 1));

/** Opens a sale with orders for some claims. */
async function saleWith(claims: Claim[], wanted: Partial<Sale> = {}): Promise<Sale> {
  const sale = await openTestSale(t, { units: 10, ...wanted });
  await insertOrders(t.db, sale.id, claims);
  return sale;
}

const statusOf = async ({ claimId }: Claim) => (await t.db.order.findUnique({ where: { id: claimId } }))?.status;

async function allOf<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

/** Sets when an order was placed, some minutes ago. */
const backdatePlacing = ({ claimId }: Claim, minutes: number) => t.db.$executeRaw`UPDATE orders
  SET version = version + 1, placed_at = clock_timestamp() - ${minutes} * interval '1 minute' WHERE id = ${claimId}::uuid`;

describe('the latest order of a buyer', () => {
  test('is the live one, even if one that ended is newer', async () => {
    const live = aClaim({ buyerId: 'ann' });
    const sale = await saleWith([live]);
    const ended = aClaim({ buyerId: 'ann', unit: 2 });
    await insertTombstones(t.db, { saleId: sale.id, claims: [ended], reason: 'lost' });
    await backdatePlacing(live, 5);
    expect((await readLatestOrders(t.db, sale, ['ann'])).map(({ claimId }) => claimId)).toEqual([live.claimId]);
  });

  test('is the newest of those that ended', async () => {
    const sale = await saleWith([]);
    const claims = [3, 9, 1, 5].map(minutes => ({ minutes, claim: aClaim({ buyerId: 'ann', unit: minutes }) }));
    for (const { claim, minutes } of claims) {
      await insertTombstones(t.db, { saleId: sale.id, claims: [claim], reason: 'lost' });
      await backdatePlacing(claim, minutes);
    }
    expect((await readLatestOrders(t.db, sale, ['ann'])).map(({ unit }) => unit)).toEqual([1]);
  });

  test('is one of this sale', async () => {
    const [mine, other] = [aClaim({ buyerId: 'ann' }), aClaim({ buyerId: 'ann' })];
    const sale = await saleWith([mine]);
    const another = await saleWith([other]);
    await t.db.withdrawnUnit.create({ data: { saleId: another.id, unit: 7, orderId: other.claimId } });
    expect((await readLatestOrders(t.db, sale, ['ann'])).map(({ claimId }) => claimId)).toEqual([mine.claimId]);
    const withdrawn = (id: string) => allOf(withdrawnPages(t.db, id));
    expect([await withdrawn(sale.id), await withdrawn(another.id)]).toEqual([[], [[7]]]);
  });
});

describe('orders by pages', () => {
  test('are all latest orders, each once, in the order of their buyers', async () => {
    const sale = await saleWith([aClaim({ buyerId: 'bea', unit: 1 }), aClaim({ buyerId: 'ann', unit: 2 })]);
    await saleWith([aClaim({ buyerId: 'abe' })]);
    const pages = await allOf(orderPages(t.db, sale));
    expect(pages.map(page => page.map(({ buyerId, unit }) => [buyerId, unit]))).toEqual([
      [
        ['ann', 2],
        ['bea', 1],
      ],
    ]);
    expect(await allOf(orderPages(t.db, await saleWith([])))).toEqual([]);
  });

  test.each([0, 1])('a page is full, and the next one has %d orders', async more => {
    const sale = await saleWith([], { units: ORDER_PAGE + 1 });
    await t.db.$executeRaw`INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
      SELECT gen_random_uuid(), ${sale.id}, 'b' || i, i, 'pending_payment', 1, 'EUR', clock_timestamp()
      FROM generate_series(1, ${ORDER_PAGE + more}) AS i`;
    const pages = await allOf(orderPages(t.db, sale));
    expect(pages.map(({ length }) => length)).toEqual(more === 0 ? [ORDER_PAGE] : [ORDER_PAGE, more]);
    expect(new Set(pages.flat().map(({ unit }) => unit)).size).toBe(ORDER_PAGE + more);
  });

  test('have every part of an order', async () => {
    const claim = aClaim();
    const sale = await saleWith([claim]);
    await t.db.$executeRaw`UPDATE orders SET version = version + 1, status = 'paid', paid_at = clock_timestamp(),
      reason = 'payment_refused', refunded_minor = 3, pay_by = to_timestamp(1.5) WHERE id = ${claim.claimId}::uuid`;
    const paid = { ...claim, status: 'paid', reason: 'payment_refused', payByMs: 1_500, refundedMinor: 3 };
    expect(await allOf(orderPages(t.db, sale))).toEqual([[paid]]);
    expect(await readLatestOrders(t.db, sale, [])).toEqual([]);
  });
});

test('an operator reads the newest orders of a buyer, without tombstones', async () => {
  const buyerId = aClaim().buyerId;
  const orders = [4, 1, 3].map(minutes => ({ minutes, claim: aClaim({ buyerId }) }));
  for (const { claim, minutes } of orders) {
    await saleWith([claim]);
    await backdatePlacing(claim, minutes);
  }
  const sale = await saleWith([]);
  await insertTombstones(t.db, { saleId: sale.id, claims: [aClaim({ buyerId })], reason: 'lost' });
  const read = await readBuyerOrders(t.db, buyerId, 2);
  expect(read.map(({ orderId }) => orderId)).toEqual([orders[1]?.claim.claimId, orders[2]?.claim.claimId]);
});

describe('a withdrawn unit', () => {
  test.each(['deferred', 'immediate'] as const)('gets no order with %s settlement', async settlement => {
    const [first] = someClaims(1) as [Claim];
    const sale = await saleWith([first], { settlement, priceMinor: 0 });
    await t.db.withdrawnUnit.create({ data: { saleId: sale.id, unit: 2, orderId: first.claimId } });
    const claims = [aClaim({ unit: 2 }), aClaim({ unit: 3 })];
    const { placed, conflicting } = await insertOrders(t.db, sale.id, claims);
    expect([placed.map(({ unit }) => unit), conflicting.map(({ unit }) => unit)]).toEqual([[3], [2]]);
  });

  test('of another sale does not count', async () => {
    const [first] = someClaims(1) as [Claim];
    const other = await saleWith([first]);
    await t.db.withdrawnUnit.create({ data: { saleId: other.id, unit: 2, orderId: first.claimId } });
    const sale = await saleWith([]);
    expect((await insertOrders(t.db, sale.id, [aClaim({ unit: 2 })])).placed).toHaveLength(1);
  });
});

describe('two batches of the same claims in another order', () => {
  /**
   * Holds the row of the first claim in a transaction, lets another statement wait for it, and then needs the row of the
   * second claim. The statement must not hold that one: it would be a deadlock.
   */
  async function cross<T>(
    sale: Sale,
    [first, second]: [Claim, Claim],
    statement: (reversed: Claim[]) => Promise<T>,
  ): Promise<T> {
    const [result] = await whileHeld(t.db, {
      hold: tx => insertUnpaidOrders(tx, sale.id, [first]),
      calls: [() => statement([second, first])],
      waiting: '%INTO orders%',
      meanwhile: tx => insertUnpaidOrders(tx, sale.id, [second]),
    });
    if (result instanceof Error) throw result;
    return result as T;
  }

  test('are placed without a deadlock', async () => {
    const sale = await saleWith([]);
    const claims = someClaims(2) as [Claim, Claim];
    const { placed, known } = await cross(sale, claims, batch => insertOrders(t.db, sale.id, batch));
    expect([placed, known.length]).toEqual([[], 2]);
  });

  test('are paid at once without a deadlock of their orders, or of their wallets', async () => {
    const sale = await saleWith([], { settlement: 'immediate', priceMinor: 100 });
    const claims = someClaims(2) as [Claim, Claim];
    const owners = claims.map(({ buyerId }) => buyerId).sort() as [string, string];
    await creditWallets(t.db, owners, { amountMinor: 200, currency: sale.currency });
    const { known } = await cross(sale, claims, batch => insertOrders(t.db, sale.id, batch));
    expect(known).toHaveLength(2);

    const [first, second] = owners;
    const later = owners.map((buyerId, i) => aClaim({ buyerId, unit: i + 3 })).reverse();
    const other = await openTestSale(t, { units: 10, settlement: 'immediate', priceMinor: 100 });
    const paid = await whileHeld(t.db, {
      hold: tx => tx.$queryRaw`SELECT FROM accounts WHERE owner = ${first} FOR UPDATE`,
      calls: [() => insertOrders(t.db, other.id, later)],
      waiting: '%INTO orders%',
      // Fails at once if the statement, which waits for the first wallet, holds the second one.
      meanwhile: tx => tx.$queryRaw`SELECT FROM accounts WHERE owner = ${second} FOR UPDATE NOWAIT`,
    });
    expect(paid).toMatchObject([{ placed: [{ status: 'paid' }, { status: 'paid' }] }]);
  });

  test('are given up without a deadlock, once they are placed', async () => {
    const sale = await saleWith([]);
    const claims = someClaims(2) as [Claim, Claim];
    const giveUp = (batch: Claim[]) => insertTombstones(t.db, { saleId: sale.id, claims: batch, reason: 'lost' });
    expect(await cross(sale, claims, giveUp)).toEqual([]);
    expect(await Promise.all(claims.map(statusOf))).toEqual(['pending_payment', 'pending_payment']);
  });
});

describe('overdue orders', () => {
  test('that another process is changing are left to it, without a wait', async () => {
    const [held, free] = someClaims(2) as [Claim, Claim];
    await saleWith([held, free]);
    await backdateDeadlines(t, [held, free]);
    const read = await readOverdue(t.db, { limit: 10, claimIds: [held.claimId, free.claimId] });
    await t.db.$transaction(async tx => {
      await tx.$queryRaw`SELECT FROM orders WHERE id = ${held.claimId}::uuid FOR UPDATE`;
      // Postgres would end a statement that waits for the row, after two seconds.
      expect((await expireRows(t.db, read)).map(({ claimId }) => claimId)).toEqual([free.claimId]);
    });
    expect([await statusOf(held), await statusOf(free)]).toEqual(['pending_payment', 'cancelled']);
  });

  test('are read with the longest overdue first, page by page, and only those that are asked for', async () => {
    const claims = someClaims(4);
    await saleWith(claims);
    for (const [i, claim] of claims.entries()) await backdateDeadlines(t, [claim], 4 - (i % 2));
    // The first and the third have one deadline, as have the second and the fourth.
    const together = await t.db.order.findMany({ where: { id: { in: claims.map(({ claimId }) => claimId) } } });
    const payBy = together.map(({ payBy }) => payBy).sort((a, b) => a.getTime() - b.getTime())[0];
    for (const i of [0, 2]) {
      await t.db
        .$executeRaw`UPDATE orders SET version = version + 1, pay_by = ${payBy} WHERE id = ${claims[i]?.claimId}::uuid`;
    }
    const expected = [claims[0], claims[2], claims[1], claims[3]].map(claim => claim?.claimId);
    const claimIds = claims.map(({ claimId }) => claimId);
    const read: string[] = [];
    let after: Awaited<ReturnType<typeof readOverdue>>[number] | undefined;
    for (let page = 0; page < 4; page += 1) {
      const [order, ...more] = await readOverdue(t.db, { limit: 1, claimIds, after });
      expect(more).toEqual([]);
      read.push(order?.claimId ?? 'none');
      after = order;
    }
    expect([read, await readOverdue(t.db, { limit: 1, claimIds, after })]).toEqual([expected, []]);
    const some = await readOverdue(t.db, { limit: 10, claimIds: claimIds.slice(0, 2) });
    expect(some.map(({ claimId }) => claimId)).toEqual(claimIds.slice(0, 2));
  });
});

describe('a cancellation', () => {
  test('waits for a change of its order that is under way, and leaves a paid one paid', async () => {
    const [claim] = someClaims(1) as [Claim];
    const sale = await saleWith([claim]);
    const cancelled = await whileHeld(t.db, {
      hold: tx => tx.$executeRaw`UPDATE orders SET status = 'paid', paid_at = clock_timestamp(), version = version + 1
        WHERE id = ${claim.claimId}::uuid`,
      calls: [() => cancelRow(t.db, sale.id, claim)],
      waiting: '%INTO orders%',
    });
    expect(cancelled).toEqual([[]]);
    expect(await statusOf(claim)).toBe('paid');
  });

  test('of a claim that is being placed cancels its order', async () => {
    const [claim] = someClaims(1) as [Claim];
    const sale = await saleWith([]);
    const cancelled = await whileHeld(t.db, {
      hold: tx => insertUnpaidOrders(tx, sale.id, [claim]),
      calls: [() => cancelRow(t.db, sale.id, claim)],
      waiting: '%INTO orders%',
    });
    expect(cancelled).toMatchObject([[{ claimId: claim.claimId, status: 'cancelled', freesUnit: true }]]);
    expect(await statusOf(claim)).toBe('cancelled');
  });
});

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { audit } from '#core/comparison/audit.js';
import { rescue } from '#core/maintenance/rescue.js';
import { connectDatabase } from '#core/postgres/database.js';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { insertUnpaidOrders } from '#core/postgres/orders/insert-orders.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { countBlocked } from '../../support/stores/blocked.js';
import { startFaultProxy } from '../../support/stores/fault-proxy.js';
import { useStores } from '../../support/stores/stores.js';

// Postgres fails while a batch is placed. No claim is compensated, and placing the batch again succeeds.

const t = useStores();

const PRICE_MINOR = 500;
const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** Creates the context of a worker with one connection to Postgres. */
function withOneConnection(url: string): StepContext {
  const db = connectDatabase(url, { connections: 1 });
  endings.unshift(() => db.$disconnect());
  return { ...t, db };
}

const ordersOf = (sale: Sale) => t.db.order.findMany({ where: { saleId: sale.id }, orderBy: { unit: 'asc' } });

/** Expects a failure because of Postgres, not because of the claims. */
async function expectAway(placing: Promise<unknown>): Promise<void> {
  const error = await placing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect({ error, away: isDatabaseAway(error) }).toMatchObject({ away: true });
}

/** Expects that no claim was given up, although placing failed. */
async function expectStillPromised(sale: Sale, claims: Claim[]): Promise<void> {
  const snapshot = await readSnapshot(t.redis, sale.id);
  for (const { buyerId, claimId } of claims) {
    expect(snapshot?.claims.get(buyerId)).toMatchObject({ claimId, status: 'queued' });
    expect(snapshot?.outbox.has(buyerId)).toBe(true);
  }
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(0);
}

async function expectPlaced(sale: Sale, claims: Claim[], status: string): Promise<void> {
  expect((await ordersOf(sale)).map(order => [order.id, order.status])).toEqual(
    claims.map(({ claimId }) => [claimId, status]),
  );
  const snapshot = await readSnapshot(t.redis, sale.id);
  for (const { buyerId } of claims) expect(snapshot?.claims.get(buyerId)?.status).toBe(status);
  expect(snapshot?.outbox.size).toBe(0);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
}

describe('a lost connection', () => {
  test.each([
    ['deferred', 'pending_payment'],
    ['immediate', 'paid'],
  ] as const)('a batch whose COMMIT lost its reply is placed once with %s settlement', async (settlement, status) => {
    const sale = await openTestSale(t, { settlement, priceMinor: PRICE_MINOR });
    const [first, ...others] = buyers(3, settlement);
    await creditWallets(t.db, [first ?? '', ...others], { amountMinor: PRICE_MINOR, currency: 'EUR' });
    const before = await win(t, sale, first ?? '');
    const claims = await win(t, sale, ...others);
    const proxy = await startFaultProxy(t.databaseUrl);
    endings.push(() => proxy.close());
    const ctx = withOneConnection(proxy.through(t.databaseUrl));
    await placeOrders(ctx, { saleId: sale.id, claims: before });

    proxy.set({ kind: 'drop-reply' });
    await expectAway(placeOrders(ctx, { saleId: sale.id, claims }));
    proxy.set({ kind: 'none' });
    const stored = await ordersOf(sale);
    expect(stored.map(order => order.id)).toEqual([...before, ...claims].map(({ claimId }) => claimId));
    await expectStillPromised(sale, claims);

    await placeOrders(ctx, { saleId: sale.id, claims });
    expect(await ordersOf(sale)).toEqual(stored);
    await expectPlaced(sale, [...before, ...claims], status);
    for (const buyerId of others) {
      expect(await readBalance(t.db, buyerId, 'EUR')).toBe(settlement === 'immediate' ? 0 : PRICE_MINOR);
    }
  });

  test('a batch that lost its connection before COMMIT is placed by the next try', async () => {
    const sale = await openTestSale(t);
    const claims = await win(t, sale, ...buyers(3));
    await t.db.$transaction(async tx => {
      await tx.$executeRaw`LOCK TABLE orders IN ACCESS EXCLUSIVE MODE`;
      const failed = expectAway(placeOrders(t, { saleId: sale.id, claims }));
      await eventually(async () => {
        expect(
          await t.db.$executeRaw`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO orders%' AND datname = current_database()`,
        ).toBe(1);
      });
      await failed;
    });
    expect(await ordersOf(sale)).toEqual([]);
    await expectStillPromised(sale, claims);
    await placeOrders(t, { saleId: sale.id, claims });
    await expectPlaced(sale, claims, 'pending_payment');
  });
});

/** Places a batch that meets a deadlock, and fails by it. */
async function placeInDeadlock() {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, 'a', 'b');
  const [first, second] = [...claims].sort((a, b) => a.claimId.localeCompare(b.claimId));
  if (!first || !second) throw new Error('both should have won');
  let placing: Promise<unknown> = Promise.resolve();
  const crossing = t.db.$transaction(async tx => {
    await insertUnpaidOrders(tx, sale.id, [second]);
    placing = placeOrders(t, { saleId: sale.id, claims });
    placing.catch(() => undefined);
    // `placing` has written the first claim and waits for the second; this transaction holds the second and asks for the
    // first. Postgres ends the one that has waited longer, which is `placing`.
    await eventually(async () => expect(await countBlocked(t.db, '%INSERT INTO orders%')).toBe(1));
    await insertUnpaidOrders(tx, sale.id, [first]);
    throw new Error('rolled back');
  });
  await expect(crossing).rejects.toThrow('rolled back');
  await expect(placing).rejects.toThrow('deadlock detected');
  return { sale, claims };
}

test('a batch that met a deadlock is placed by the next try', async () => {
  // On a busy machine Postgres may end the other transaction. Then this is tried again.
  const { sale, claims } = await eventually(placeInDeadlock);
  await expectStillPromised(sale, claims);
  await placeOrders(t, { saleId: sale.id, claims });
  await expectPlaced(sale, claims, 'pending_payment');
});

test('a batch without a free connection fails in time, and is placed by the next try', async () => {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, ...buyers(3));
  const ctx = withOneConnection(t.databaseUrl);
  await ctx.db.$transaction(async tx => {
    await tx.$executeRaw`SELECT 1`;
    await expectAway(placeOrders(ctx, { saleId: sale.id, claims }));
  });
  expect(await ordersOf(sale)).toEqual([]);
  await expectStillPromised(sale, claims);
  await placeOrders(ctx, { saleId: sale.id, claims });
  await expectPlaced(sale, claims, 'pending_payment');
});

describe('a Postgres that stores nothing', () => {
  interface Outage {
    begin(): Promise<unknown>;
    end(): Promise<unknown>;
  }

  /** Makes this file's own database read-only or writable, as other files use the same server. Open sessions end. */
  async function setReadOnly(setting: 'on' | 'off'): Promise<void> {
    const client = new pg.Client({
      connectionString: t.databaseUrl,
      options: '-c default_transaction_read_only=off',
    });
    await client.connect();
    await client.query(`DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ${setting}', current_database());
    END $$`);
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await client.end();
    await eventually(async () => {
      const [row] = await t.db.$queryRaw<
        { setting: string }[]
      >`SELECT current_setting('transaction_read_only') AS setting`;
      expect(row?.setting).toBe(setting);
    });
  }

  const readOnly: Outage = { begin: () => setReadOnly('on'), end: () => setReadOnly('off') };

  /** Fails in the middle of a statement, with the error of Postgres for a file that can't be extended. */
  const fullDisk: Outage = {
    async begin() {
      await t.db.$executeRaw`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.unit < 3 THEN RETURN NEW; END IF;
          RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
        END $$`;
      await t.db
        .$executeRaw`CREATE TRIGGER disk_full BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION disk_full()`;
    },
    end: () => t.db.$executeRaw`DROP FUNCTION disk_full CASCADE`,
  };

  beforeEach(() => creditWallets(t.db, buyers(3), { amountMinor: PRICE_MINOR, currency: 'EUR' }));

  test.each([
    ['Postgres is read-only', readOnly],
    ['the disk is full', fullDisk],
  ] as const)('claims stay promised while %s, and are placed afterwards', async (_how, outage) => {
    const sale = await openTestSale(t, { units: 5, settlement: 'immediate', priceMinor: PRICE_MINOR });
    await outage.begin();
    const claims = await win(t, sale, ...buyers(3));
    try {
      await expectAway(placeOrders(t, { saleId: sale.id, claims }));
      await expectAway(rescue(t, sale.id, 0));
      expect(await ordersOf(sale)).toEqual([]);
    } finally {
      await outage.end();
    }
    await expectStillPromised(sale, claims);
    for (const buyerId of buyers(3))
      expect(await readBalance(t.db, buyerId, 'EUR')).toBeGreaterThanOrEqual(PRICE_MINOR);
    expect(await rescue(t, sale.id, 0)).toBe(3);
    await expectPlaced(sale, claims, 'paid');
  });
});

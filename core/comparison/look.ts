import type { Database } from '../postgres/database.js';
import {
  ORDER_PAGE,
  type OrdersOf,
  orderTextPages,
  parseOrder,
  readLatestOrders,
  withdrawnPages,
} from '../postgres/orders/sale-orders.js';
import {
  claimPages,
  type Facts,
  readAtOnce,
  readBuyers,
  readFacts,
  readRecords,
  stockPages,
} from '../redis/sale/content.js';
import { Units } from '../redis/sale/units.js';
import type { Shards } from '../redis/shards.js';
import { isLive, parseClaimRecord } from '../rules/claim.js';
import { chunks } from '../values/chunks.js';
import type { Progress } from '../values/progress.js';
import { compareBuyer, type Difference, unitsOf } from './compare.js';

// A comparison reads both stores by pages, so that neither of them and no process is held up by a large sale. It keeps five bytes of
// each unit, and the differences.

/** The stores that are compared. */
export interface Stores {
  db: Database;
  redis: Shards;
}

/** The most differences that one look lists. After these are repaired, the next look finds the others. */
const DIFFERENCES_MAX = 50_000;

/** The differences that one look at a sale has found. Claims and releases in flight count as differences, too. */
export interface Look {
  /** The settings and counts in Redis when the look began. */
  facts: Facts;
  differences: Difference[];
  /** The units of claims whose order has another unit, and of these orders. They are in the differences, too. */
  mismatched: number[];
  /** The number of live claims. */
  held: number;
}

/** Compares a sale in Redis with Postgres, buyer by buyer and unit by unit; undefined when Redis does not have the sale. */
export async function lookAt(stores: Stores, saleId: string, progress?: Progress): Promise<Look | undefined> {
  const facts = await readFacts(stores.redis, saleId);
  if (!(facts.units > 0)) return undefined;
  progress?.expect(facts.claims);
  const units = new Units(facts.units);
  const sale = { id: saleId, unpaidLimit: facts.unpaidLimit };
  const differences: Difference[] = [];
  const suspect = async (buyerIds: string[]) => {
    if (differences.length < DIFFERENCES_MAX) differences.push(...(await compareBuyers(stores, sale, buyerIds)));
  };
  let known = 0;
  for await (const orders of orderTextPages(stores.db, sale)) {
    const buyerIds = orders.map(order => order.slice(0, order.indexOf(' ')));
    const records = await readRecords(stores.redis, saleId, buyerIds);
    known += records.filter(record => record !== null).length;
    progress?.add(orders.length);
    await suspect(
      buyerIds.filter((_, i) => differs(units, { text: orders[i] ?? '', record: records[i] ?? null, ...sale })),
    );
  }
  // Claims without an order are looked for only if there are any. The number changes with each claim, so it is read again.
  if (known < (await readFacts(stores.redis, saleId)).claims) {
    for await (const page of claimPages(stores.redis, saleId)) {
      const others = await readBuyers(stores.redis, saleId, holdOthers(units, page));
      await suspect(others.filter(({ wonAtMs }) => wonAtMs === undefined).map(({ buyerId }) => buyerId));
    }
  }
  for await (const page of stockPages(stores.redis, saleId)) for (const unit of page) units.free(unit);
  for await (const page of withdrawnPages(stores.db, saleId)) for (const unit of page) units.withdraw(unit);
  const mismatched = differences.flatMap(unitsOf);
  return { facts, differences: withWrongUnits(differences, units.wrong()), mismatched, held: units.held };
}

/**
 * Lists the units of a small sale that are not exactly once in stock or in a live claim at one instant. Redis is read before the
 * withdrawn units, which leave their claim after Postgres has recorded them.
 */
export async function wrongUnitsAtOnce({ db, redis }: Stores, saleId: string, count: number): Promise<number[]> {
  const { stock, records } = await readAtOnce(redis, saleId);
  const units = new Units(count);
  for (const { status, unit, claimId } of records.map(parseClaimRecord)) if (isLive(status)) units.hold(unit, claimId);
  for (const unit of stock) units.free(unit);
  for await (const page of withdrawnPages(db, saleId)) for (const unit of page) units.withdraw(unit);
  return units.wrong();
}

/** Puts all wrong units into one difference. */
function withWrongUnits(differences: readonly Difference[], others: readonly number[]): Difference[] {
  const wrong = new Set([...differences.flatMap(unitsOf), ...others]);
  const rest = differences.filter(({ kind }) => kind !== 'units_wrong');
  return wrong.size === 0 ? rest : [...rest, { kind: 'units_wrong', units: [...wrong].sort((a, b) => a - b) }];
}

/** A buyer's order and claim as the stores have them. */
interface Compared extends Pick<OrdersOf, 'unpaidLimit'> {
  /** The order, as {@link orderTextPages} reads it: the buyer's id, a space, and the record. */
  text: string;
  record: string | null;
}

/**
 * Records that the claim of an order's buyer holds its unit, if it is live. Returns whether claim and order may differ. Nearly all
 * records are as the order says, so an order is parsed only if its record is another text.
 */
function differs(units: Units, { text, record, unpaidLimit }: Compared): boolean {
  const claim = record === null ? undefined : parseClaimRecord(record);
  if (claim && isLive(claim.status)) units.hold(claim.unit, claim.claimId);
  if (record !== null && text.endsWith(record) && text.indexOf(' ') === text.length - record.length - 1) return false;
  const order = parseOrder(text);
  const facts = { buyerId: order.buyerId, order, claim, isUnplaced: false, countsStrikes: unpaidLimit > 0 };
  return compareBuyer(facts).length > 0;
}

/** Records the live claims of a page that are no claim of an order. Returns their buyers. */
function holdOthers(units: Units, page: [buyerId: string, record: string][]): string[] {
  return page.flatMap(([buyerId, record]) => {
    const claim = parseClaimRecord(record);
    if (!isLive(claim.status) || units.isHeldBy(claim.unit, claim.claimId)) return [];
    units.hold(claim.unit, claim.claimId);
    return [buyerId];
  });
}

/** Compares the facts of both stores about some buyers of a sale. Claims and releases in flight count as differences, too. */
export async function compareBuyers({ db, redis }: Stores, sale: OrdersOf, buyerIds: string[]): Promise<Difference[]> {
  const differences: Difference[] = [];
  const countsStrikes = sale.unpaidLimit > 0;
  for (const some of chunks(buyerIds, ORDER_PAGE)) {
    // Redis is read first: see compareBuyer().
    const buyers = await readBuyers(redis, sale.id, some);
    const orders = new Map((await readLatestOrders(db, sale, some)).map(order => [order.buyerId, order]));
    for (const { buyerId, claim, wonAtMs } of buyers) {
      const facts = { buyerId, order: orders.get(buyerId), claim, isUnplaced: wonAtMs !== undefined, countsStrikes };
      differences.push(...compareBuyer(facts));
    }
  }
  return differences;
}

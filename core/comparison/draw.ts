import { ListBuilder } from '../draw/list.js';
import { ENTRY_BYTES, LATE_FROM, lotsOf, numberOf } from '../draw/lot.js';
import { type Draw, readDraw } from '../postgres/draws/draws.js';
import { entryPages, readEntryCounts, readWaiting, type StoredEntry } from '../postgres/draws/entries.js';
import { readLatestOrders } from '../postgres/orders/sale-orders.js';
import { whichAreUnstored } from '../redis/draw/entries.js';
import { readJoining } from '../redis/draw/joining.js';
import { readAbout, readChunk } from '../redis/draw/publication.js';
import { readBuyers, readFacts, standbyPages } from '../redis/sale/content.js';
import type { Shards } from '../redis/shards.js';
import { type PublishedDraw, publishedOf } from '../steps/line/publish.js';
import { chunks } from '../values/chunks.js';
import type { Stores } from './look.js';

/** The buyers whose positions one call reads. */
const PAGE = 1_000;

/** The most buyers that a fault names. */
const NAMED_MAX = 20;

/**
 * Checks the draw of a sale: that its entries are those of the published root, that Redis publishes what Postgres has, that the line is
 * in the order of the lots, and that nobody who joined is missing. Both stores are read by pages.
 *
 * @returns the faults, one line of text each; none for a sale with a rush
 */
export async function drawFaults(stores: Stores, saleId: string): Promise<string[]> {
  const draw = await readDraw(stores.db, saleId);
  if (!draw) return [];
  const { units, line } = await readFacts(stores.redis, saleId);
  const isLoaded = units > 0;
  const faults = [...(await aboutFaults(stores.redis, draw)), ...(await listFaults(stores, draw, isLoaded))];
  if (!isLoaded) return faults;
  faults.push(...(await lateFaults(stores, draw)));
  faults.push(...(await positionFaults(stores, saleId)));
  if (draw.isDealt && line !== 'ordered') faults.push('the units were offered, and the line has no order');
  return [...faults, ...(line === 'ordered' ? await lineFaults(stores.redis, draw) : [])];
}

/** Compares the facts that Redis publishes with those of Postgres. Redis may be a moment behind, and then lacks some. */
async function aboutFaults(redis: Shards, draw: Draw): Promise<string[]> {
  const about = await readAbout(redis, draw.saleId);
  const published = JSON.parse(about ?? '{}') as Record<string, unknown>;
  const stored = Object.entries(publishedOf(draw)).filter(([name]) => published[name] !== undefined);
  return stored
    .filter(([name, value]) => published[name] !== value)
    .map(([name, value]) => `the published ${name} is ${published[name]}, and Postgres has ${value}`);
}

/**
 * Compares the published number of late entries with Postgres. It may be changing just now, so a difference has to stay the same, while
 * Redis has nothing that is to be stored.
 */
async function lateFaults({ db, redis }: Stores, { saleId }: Draw): Promise<string[]> {
  const look = async () => {
    const stored = (await readEntryCounts(db, saleId)).late;
    const { lateEntries = stored } = JSON.parse((await readAbout(redis, saleId)) ?? '{}') as Partial<PublishedDraw>;
    const { unstored } = await readJoining(redis, saleId);
    return lateEntries === stored || unstored > 0
      ? ''
      : `the published lateEntries is ${lateEntries}, and Postgres has ${stored}`;
  };
  const difference = await look();
  return difference !== '' && difference === (await look()) ? [difference] : [];
}

/** Makes the list again of which Postgres recorded the root, and compares it with the published one. */
async function listFaults({ db, redis }: Stores, draw: Draw, isLoaded: boolean): Promise<string[]> {
  const { saleId, saltKey, list } = draw;
  if (!list) return [];
  const faults: string[] = [];
  const builder = new ListBuilder(saltKey, async (number, stored) => {
    const published = isLoaded ? await readChunk(redis, saleId, number) : undefined;
    if (published && !published.equals(stored)) faults.push(`chunk ${number}: ${firstDifference(published, stored)}`);
  });
  for await (const page of entryPages(db, saleId, 'published')) await builder.add(page);
  const { entries, root } = await builder.end();
  if (entries !== list.entries) faults.push(`there are ${entries} entries, and not ${list.entries}`);
  if (!root.equals(list.root)) {
    faults.push(`the root of the entries is ${root.toString('hex')}, and not ${list.root.toString('hex')}`);
  }
  return faults;
}

/** Finds buyers who joined and have not left, and of whom Redis has neither a position in the line nor a claim. */
async function positionFaults(stores: Stores, saleId: string): Promise<string[]> {
  const missing: string[] = [];
  for await (const page of entryPages(stores.db, saleId, 'all')) {
    missing.push(...(await missingOf(stores, saleId, page)));
  }
  return missing.length > 0 ? [`joined, and neither in the line nor with a claim: ${namesOf(missing)}`] : [];
}

function firstDifference(published: Buffer, stored: Buffer): string {
  for (let at = 0; at < Math.max(published.length, stored.length); at += ENTRY_BYTES) {
    const [theirs, ours] = [published.subarray(at, at + ENTRY_BYTES), stored.subarray(at, at + ENTRY_BYTES)];
    if (theirs.equals(ours)) continue;
    if (theirs.length === 0) return `entry ${numberOf(ours)} is not published`;
    if (ours.length === 0) return `entry ${numberOf(theirs)} is published, and Postgres lacks it`;
    if (numberOf(theirs) === numberOf(ours)) return `entry ${numberOf(ours)} is of another buyer in Postgres`;
    return `where entry ${numberOf(theirs)} is published, Postgres has another one (${numberOf(ours)})`;
  }
  return 'its bytes differ';
}

async function missingOf({ db, redis }: Stores, saleId: string, page: readonly StoredEntry[]): Promise<string[]> {
  const waiting = page.filter(({ isWaiting }) => isWaiting).map(({ buyerId }) => buyerId);
  const suspects = await withoutPosition(redis, saleId, waiting);
  if (suspects.length === 0) return [];
  // Between the two readings, a buyer may have left or got an order.
  const still = await readWaiting(db, saleId, suspects);
  const orders = new Set(
    (await readLatestOrders(db, { id: saleId, unpaidLimit: 0 }, still)).map(({ buyerId }) => buyerId),
  );
  return withoutPosition(
    redis,
    saleId,
    still.filter(buyerId => !orders.has(buyerId)),
  );
}

async function withoutPosition(redis: Shards, saleId: string, buyerIds: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const some of chunks(buyerIds, PAGE)) {
    const buyers = await readBuyers(redis, saleId, some);
    const lost = buyers.filter(({ claim, ticket }) => !claim && ticket === undefined).map(({ buyerId }) => buyerId);
    // A change that Postgres has not stored yet explains it: the buyer has left.
    const unstored = await whichAreUnstored(redis, saleId, lost);
    found.push(...lost.filter(buyerId => !unstored.has(buyerId)));
  }
  return found;
}

/** Finds buyers who do not stand at their lot. Those who came after the opening stand behind all lots. */
async function lineFaults(redis: Shards, draw: Draw): Promise<string[]> {
  const lotOf = lotsOf(draw);
  if (!lotOf) return ['the line has an order, and the draw is not decided'];
  const wrong: string[] = [];
  for await (const page of standbyPages(redis, draw.saleId)) {
    for (const { buyerId, ticket } of page) {
      if (ticket < LATE_FROM && ticket !== lotOf(buyerId)) wrong.push(buyerId);
    }
  }
  return wrong.length > 0 ? [`not at their lot in the line: ${namesOf(wrong)}`] : [];
}

const namesOf = (buyerIds: readonly string[]): string => {
  const more = buyerIds.length > NAMED_MAX ? ` and ${buyerIds.length - NAMED_MAX} more` : '';
  return `${buyerIds.slice(0, NAMED_MAX).join(', ')}${more}`;
};

import { LATE_FROM } from '../../draw/lot.js';
import { NotVerified } from '../../rules/errors.js';
import type { LineState } from '../../rules/sale.js';
import { chunks } from '../../values/chunks.js';
import { bucketOf, entriesKeyOf, groupsKeyOf, keysOf, markKeyOf, unstoredKeyOf } from '../keys.js';
import { repliesOf } from '../replies.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** An entry of a buyer that Postgres has to store. */
export interface UnstoredEntry {
  buyerId: string;
  number: number;
  /** The count of this change among those of all entries of the sale. */
  change: number;
  /** Whether the buyer is in the line, or was and has a claim. */
  isWaiting: boolean;
  /** The group with which the buyer joined, if the sale counts groups. */
  group: string | undefined;
}

/** Reads entries of a sale that Postgres has to store, those that changed first. */
export async function readUnstored(redis: Shards, saleId: string, limit: number): Promise<UnstoredEntry[]> {
  const server = redis.of(saleId);
  const listed = await server.zrange(unstoredKeyOf(saleId), 0, String(limit - 1), 'WITHSCORES');
  const buyerIds = listed.filter((_, i) => i % 2 === 0);
  if (buyerIds.length === 0) return [];
  const { standby, claims } = keysOf(saleId);
  // An entry that changes after the first call is read again later.
  const [numbers, tickets, records, groups] = await server
    .multi()
    .hmget(entriesKeyOf(saleId), ...buyerIds)
    .zmscore(standby, ...buyerIds)
    .hmget(claims, ...buyerIds)
    .hmget(groupsKeyOf(saleId), ...buyerIds.map(buyerId => `w:${buyerId}`))
    .exec()
    .then(repliesOf<[(string | null)[], (string | null)[], (string | null)[], (string | null)[]]>);
  return buyerIds.map((buyerId, i) => ({
    buyerId,
    number: Number(numbers[i]),
    change: Number(listed[2 * i + 1]),
    isWaiting: tickets[i] != null || records[i] != null,
    group: groups[i] ?? undefined,
  }));
}

/** Returns those of some buyers whose entry Postgres has to store. */
export async function whichAreUnstored(
  redis: Shards,
  saleId: string,
  buyerIds: readonly string[],
): Promise<Set<string>> {
  if (buyerIds.length === 0) return new Set();
  const changes = await redis.of(saleId).zmscore(unstoredKeyOf(saleId), ...buyerIds);
  return new Set(buyerIds.filter((_, i) => changes[i] != null));
}

/**
 * Forgets entries that Postgres has stored, unless they have changed since.
 *
 * @returns the number of entries that are still to be stored
 */
export async function forgetStored(redis: Shards, saleId: string, stored: readonly UnstoredEntry[]): Promise<number> {
  const keys = [keysOf(saleId).sale, unstoredKeyOf(saleId)];
  const args = stored.flatMap(({ change, buyerId }) => [change, buyerId]);
  return (await runScript(redis.of(saleId), 'entries-stored', { keys, args })) as number;
}

/**
 * Restores the entry of a receipt that Redis lost.
 *
 * @returns whether Redis had lost it
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis; ioredis's error
 */
export async function restoreEntry(
  redis: Shards,
  saleId: string,
  { buyerId, number }: { buyerId: string; number: number },
): Promise<boolean> {
  const { sale, stock, claims, standby } = keysOf(saleId);
  const call = { keys: [sale, stock, claims, standby], args: [buyerId, number] };
  return behindFence<number>(await runScript(redis.of(saleId), 'restore-entry', call), saleId)[0] === 1;
}

/** Moves buyers to their lots whose entries came back after the order was made. Buyers who are not in the line stay out of it. */
export async function moveToLots(
  redis: Shards,
  saleId: string,
  buyers: readonly { buyerId: string; lot: number }[],
): Promise<void> {
  if (buyers.length === 0) return;
  const { sale, standby } = keysOf(saleId);
  const args = buyers.flatMap(({ lot, buyerId }) => [lot, buyerId]);
  behindFence(await runScript(redis.of(saleId), 'move-ticket', { keys: [sale, standby], args }), saleId);
}

/** The most entries that one command puts into Redis, which takes some 2 ms. */
const PUT_CHUNK = 1_000;

/** Counts the buyers of a sale who have or had an entry. */
export function countEntered(redis: Shards, saleId: string): Promise<number> {
  return redis.of(saleId).hlen(entriesKeyOf(saleId));
}

/** Puts entries that Postgres has into Redis. The number of an entry never changes, so a repeat is a no-op. */
export async function putEntries(
  redis: Shards,
  saleId: string,
  entries: readonly { buyerId: string; number: number }[],
): Promise<void> {
  for (const part of chunks(entries, PUT_CHUNK)) {
    await redis.of(saleId).hset(entriesKeyOf(saleId), ...part.flatMap(({ buyerId, number }) => [buyerId, number]));
  }
}

/** The fields of a sale in Redis about a line that buyers join before the opening (lua/include/joining.lua). */
export interface LineFields {
  draw: LineState;
  /** The number of entries once their order was made: the standby cap is higher by it. */
  entered: number;
  /** The last number of an entry. */
  entrySeq: number;
  /** Counts all changes of entries. */
  entryChanges: number;
  /** The last ticket of a buyer who came after the opening. */
  standbySeq: number;
  /** The secret that hides who has joined, in hexadecimal digits. */
  saltKey: string;
}

/** Returns the fields of a line that nobody has joined yet. */
export function newLine(saltKey: Uint8Array): LineFields {
  const hex = Buffer.from(saltKey).toString('hex');
  return { draw: 'joining', entered: 0, entrySeq: 0, entryChanges: 0, standbySeq: LATE_FROM, saltKey: hex };
}

/** Reads the last number and the last change of the entries of a sale; 0 for a sale that is not loaded. */
export async function readLineCounts(
  redis: Shards,
  saleId: string,
): Promise<Pick<LineFields, 'entrySeq' | 'entryChanges'>> {
  const [entrySeq, entryChanges] = await redis.of(saleId).hmget(keysOf(saleId).sale, 'entrySeq', 'entryChanges');
  return { entrySeq: Number(entrySeq), entryChanges: Number(entryChanges) };
}

/** The buyers of one page, which HSCAN only takes as a hint. */
const PAGE = 2_000;

/** Reads the buyers of a sale who have or had an entry, by pages. A buyer may come twice. */
export async function* enteredPages(redis: Shards, saleId: string): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [next, entries] = await redis.of(saleId).hscan(entriesKeyOf(saleId), cursor, 'COUNT', PAGE);
    yield entries.filter((_, i) => i % 2 === 0);
    cursor = next;
  } while (cursor !== '0');
}

/** Notes entries for Postgres as if they had changed now. */
export async function noteEntries(redis: Shards, saleId: string, buyerIds: readonly string[]): Promise<void> {
  const server = redis.of(saleId);
  const last = await server.hincrby(keysOf(saleId).sale, 'entryChanges', buyerIds.length);
  const changes = buyerIds.flatMap((buyerId, i) => [last - i, buyerId]);
  // Marked first, as in the scripts: a note without a mark would wait for the opening.
  await server.sadd(markKeyOf(bucketOf(saleId), 'entered'), saleId);
  await server.zadd(unstoredKeyOf(saleId), ...changes);
}

/** An entry as its buyer may prove it. */
export interface OwnEntry {
  /** The number of the entry; undefined for a buyer who did not join before the opening. */
  number: number | undefined;
  /** The secret that hides who has joined. */
  saltKey: Buffer;
}

/**
 * Reads the entry of one buyer, who may have left since.
 *
 * @throws NotVerified when the sale is not in Redis, or opens with a rush
 */
export async function readEntry(redis: Shards, saleId: string, buyerId: string): Promise<OwnEntry> {
  const [number, saltKey] = await redis
    .of(saleId)
    .pipeline()
    .hget(entriesKeyOf(saleId), buyerId)
    .hget(keysOf(saleId).sale, 'saltKey')
    .exec()
    .then(repliesOf<[string | null, string | null]>);
  if (saltKey === null) throw new NotVerified(`the line of sale ${saleId} is not in Redis`);
  return { number: number === null ? undefined : Number(number), saltKey: Buffer.from(saltKey, 'hex') };
}

import { LATE_FROM } from '../../draw/lot.js';
import type { LineState } from '../../rules/sale.js';
import { entriesKeyOf, keysOf, unstoredKeyOf } from '../keys.js';
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
}

/** Reads entries of a sale that Postgres has to store, those that changed first. */
export async function readUnstored(redis: Shards, saleId: string, limit: number): Promise<UnstoredEntry[]> {
  const server = redis.of(saleId);
  const listed = await server.zrange(unstoredKeyOf(saleId), 0, String(limit - 1), 'WITHSCORES');
  const buyerIds = listed.filter((_, i) => i % 2 === 0);
  if (buyerIds.length === 0) return [];
  const { standby, claims } = keysOf(saleId);
  // An entry that changes after the first call is read again later.
  const [numbers, tickets, records] = await server
    .multi()
    .hmget(entriesKeyOf(saleId), ...buyerIds)
    .zmscore(standby, ...buyerIds)
    .hmget(claims, ...buyerIds)
    .exec()
    .then(repliesOf<[(string | null)[], (string | null)[], (string | null)[]]>);
  return buyerIds.map((buyerId, i) => ({
    buyerId,
    number: Number(numbers[i]),
    change: Number(listed[2 * i + 1]),
    isWaiting: tickets[i] != null || records[i] != null,
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

/** Puts entries that Postgres has into Redis. The number of an entry never changes, so a repeat is a no-op. */
export async function putEntries(
  redis: Shards,
  saleId: string,
  entries: readonly { buyerId: string; number: number }[],
): Promise<void> {
  if (entries.length === 0) return;
  await redis.of(saleId).hset(entriesKeyOf(saleId), ...entries.flatMap(({ buyerId, number }) => [buyerId, number]));
}

/** The fields of a sale in Redis about a line that buyers join before the opening (lua/include/joining.lua). */
export interface LineFields {
  draw: LineState;
  /** The number of entries once the order was made: as many more buyers than standby has room for may be in the line. */
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

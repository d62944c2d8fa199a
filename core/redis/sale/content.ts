import { STRUCK_FROM } from '../../draw/lot.js';
import { type ClaimRecord, parseClaimRecord } from '../../rules/claim.js';
import type { LineState } from '../../rules/sale.js';
import { groupsKeyOf, keysOf, registryKeyOf } from '../keys.js';
import { msOf, refuseMoved, repliesOf } from '../replies.js';
import type { Shards } from '../shards.js';

// The content of a sale in Redis, by parts. Nothing reads a whole sale at one instant: at a million buyers, that would block Redis and
// the process that reads for seconds.

/** The settings and counts of a sale in Redis at one instant, as comparisons and repairs need them. */
export interface Facts {
  units: number;
  /** Counts every change of the sale. */
  version: number;
  generation: number;
  /** The latest generation (count of an operator's changes) that Redis knows, possibly of the sale's state only. */
  latestGeneration: number;
  /** The run id of Redis for which the sale was compared with Postgres; '' for none. */
  runId: string;
  free: number;
  /** The number of buyers who have or had a claim. */
  claims: number;
  unplaced: number;
  waiting: number;
  /** The number of those on standby who have strikes. */
  waitingBehind: number;
  /** The most buyers without strikes who may be in the line, and the most with strikes; no limit before its order is made. */
  standbyCap: number;
  /** Whether the order of the line was made; undefined for a rush. */
  line: LineState | undefined;
  /** The last number that a buyer without a strike drew when joining standby, and the last one with strikes. */
  lastTicket: number;
  lastStruckTicket: number;
  /** After as many ends without payment a buyer gets nothing any more; 0 for no limit: then nothing is counted. */
  unpaidLimit: number;
  /** Redis's clock, in ms since the epoch. */
  atMs: number;
}

const FACTS = [
  'units',
  'version',
  'generation',
  'stateGeneration',
  'runId',
  'standbyCap',
  'standbySeq',
  'draw',
  'struckSeq',
  'unpaidLimit',
] as const;

/**
 * Reads the settings and counts of a sale. A sale that is not loaded comes back with 0 units, and with what is left of its buyers.
 *
 * @throws NotVerified when its keys were moved, so that what is under the old names only seems empty; ioredis's error
 */
export async function readFacts(redis: Shards, saleId: string): Promise<Facts> {
  const keys = keysOf(saleId);
  const replies = await redis
    .of(saleId)
    .multi()
    .hmget(keys.sale, ...FACTS)
    .llen(keys.stock)
    .hlen(keys.claims)
    .zcard(keys.outbox)
    .zcard(keys.standby)
    .zcount(keys.standby, STRUCK_FROM, '+inf')
    .time()
    // It fails when the keys were moved.
    .hlen(registryKeyOf(saleId))
    .exec()
    .then(repliesOf<[(string | null)[], number, number, number, number, number, [string, string]]>)
    .catch(refuseMoved);
  const [sale, free, claims, unplaced, waiting, waitingBehind, time] = replies;
  const [units, version, generation, stateGeneration, runId, standbyCap, lastTicket, line, struckSeq, unpaidLimit] =
    sale;
  return {
    units: Number(units),
    version: Number(version),
    generation: Number(generation),
    latestGeneration: Math.max(Number(generation), Number(stateGeneration)),
    runId: runId ?? '',
    free,
    claims,
    unplaced,
    waiting,
    waitingBehind,
    standbyCap: line === 'joining' ? Number.POSITIVE_INFINITY : Number(standbyCap),
    line: (line ?? undefined) as LineState | undefined,
    lastTicket: Number(lastTicket),
    lastStruckTicket: STRUCK_FROM + Number(struckSeq),
    unpaidLimit: Number(unpaidLimit),
    atMs: msOf(time),
  };
}

/** The content of Redis about one buyer of a sale. */
export interface BuyerContent {
  buyerId: string;
  claim: ClaimRecord | undefined;
  /** When the buyer won a claim that has no order yet, in ms by Redis's clock. */
  wonAtMs: number | undefined;
  /** The number that the buyer drew when joining standby. */
  ticket: number | undefined;
  /** The group with which the buyer joined standby. */
  group: string | undefined;
}

/** Reads the content about some buyers of a sale at one instant, in their order. */
export async function readBuyers(redis: Shards, saleId: string, buyerIds: string[]): Promise<BuyerContent[]> {
  if (buyerIds.length === 0) return [];
  const keys = keysOf(saleId);
  const [records, wins, tickets, groups] = await redis
    .of(saleId)
    .multi()
    .hmget(keys.claims, ...buyerIds)
    .zmscore(keys.outbox, ...buyerIds)
    .zmscore(keys.standby, ...buyerIds)
    .hmget(groupsKeyOf(saleId), ...buyerIds.map(buyerId => `w:${buyerId}`))
    .exec()
    .then(repliesOf<[(string | null)[], (string | null)[], (string | null)[], (string | null)[]]>);
  const numberOf = (text: string | null | undefined) => (text == null ? undefined : Number(text));
  return buyerIds.map((buyerId, i) => {
    const record = records[i];
    const claim = record == null ? undefined : parseClaimRecord(record);
    return { buyerId, claim, wonAtMs: numberOf(wins[i]), ticket: numberOf(tickets[i]), group: groups[i] ?? undefined };
  });
}

/** Reads the claims of some buyers of a sale as Redis stores them, in their order. */
export async function readRecords(redis: Shards, saleId: string, buyerIds: string[]): Promise<(string | null)[]> {
  return buyerIds.length === 0 ? [] : redis.of(saleId).hmget(keysOf(saleId).claims, ...buyerIds);
}

/** Elements that one command reads. HSCAN only takes it as a hint. */
const PAGE = 2_000;

/** Reads the claims of a sale as Redis stores them, by pages. A change meanwhile may be seen or missed, and a claim seen twice. */
export async function* claimPages(redis: Shards, saleId: string): AsyncGenerator<[buyerId: string, record: string][]> {
  let cursor = '0';
  do {
    const [next, entries] = await redis.of(saleId).hscan(keysOf(saleId).claims, cursor, 'COUNT', PAGE);
    yield pairs(entries);
    cursor = next;
  } while (cursor !== '0');
}

/**
 * Reads the buyers on standby by their tickets, by pages, the first one first.
 *
 * @param first the lowest ticket to read; all if not given
 */
export async function* standbyPages(
  redis: Shards,
  saleId: string,
  first: number | '-inf' = '-inf',
): AsyncGenerator<{ buyerId: string; ticket: number }[]> {
  let from = String(first);
  // Two lots may be equal, so a page begins with the last ticket of the one before.
  let seen = new Set<string>();
  for (;;) {
    const entries = pairs(
      await redis.of(saleId).zrangebyscore(keysOf(saleId).standby, from, '+inf', 'WITHSCORES', 'LIMIT', 0, PAGE),
    );
    const others = entries.filter(([buyerId]) => !seen.has(buyerId));
    if (others.length > 0) yield others.map(([buyerId, ticket]) => ({ buyerId, ticket: Number(ticket) }));
    if (entries.length < PAGE) return;
    from = entries.at(-1)?.[1] ?? from;
    seen = new Set(entries.filter(([, ticket]) => ticket === from).map(([buyerId]) => buyerId));
  }
}

/** Reads the units in stock, by pages. A unit that is taken meanwhile may hide another one. */
export async function* stockPages(redis: Shards, saleId: string): AsyncGenerator<number[]> {
  for (let from = 0; ; from += PAGE) {
    const units = await redis.of(saleId).lrange(keysOf(saleId).stock, from, from + PAGE - 1);
    if (units.length > 0) yield units.map(Number);
    if (units.length < PAGE) return;
  }
}

/**
 * Reads the units in stock and the claims of a small sale at one instant.
 *
 * @returns the numbers of the units, and the claims as Redis stores them
 */
export async function readAtOnce(redis: Shards, saleId: string): Promise<{ stock: number[]; records: string[] }> {
  const { stock, claims } = keysOf(saleId);
  const replies = await redis.of(saleId).multi().lrange(stock, 0, -1).hvals(claims).exec();
  const [units, records] = repliesOf<[string[], string[]]>(replies);
  return { stock: units.map(Number), records };
}

/** Pairs the flat reply of Redis for a hash or a sorted set. */
function pairs(listed: string[]): [name: string, value: string][] {
  return Array.from({ length: listed.length / 2 }, (_, i) => [listed[2 * i] as string, listed[2 * i + 1] as string]);
}

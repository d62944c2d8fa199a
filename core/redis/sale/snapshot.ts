import { type ClaimRecord, parseClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { keysOf, registryKeyOf } from '../keys.js';
import { msOf, refuseMoved, repliesOf } from '../replies.js';

/** The buyers that Redis has of a sale at one instant. */
export interface Remains {
  claims: Map<string, ClaimRecord>;
  outbox: Map<string, number>;
  /** The ids of the buyers on standby, first one first. */
  standby: string[];
  /** The latest generation (count of an operator's changes) that Redis knows, possibly of the sale's state only. */
  latestGeneration: number;
  /** Redis's clock at the instant of reading, in ms since the epoch. */
  atMs: number;
}

/** Everything that Redis holds of a sale at one instant. */
export interface Snapshot extends Remains {
  units: number;
  /** Counts every change of the sale. */
  version: number;
  generation: number;
  runId: string;
  stock: number[];
  /** The numbers that the buyers on standby drew when joining, ascending; `lastTicket` is the last number drawn. */
  tickets: number[];
  lastTicket: number;
  standbyCap: number;
}

/**
 * Reads a whole sale from Redis in one transaction; undefined when it is not loaded. Linear in the sale's size, so only
 * for audits, repairs and rebuilds.
 */
export async function readSnapshot(redis: Redis, saleId: string): Promise<Snapshot | undefined> {
  const snapshot = await readAll(redis, saleId);
  return snapshot.units > 0 ? snapshot : undefined;
}

/**
 * Reads the buyers of a sale that are left in Redis, even when Redis has lost the sale's own key. Undefined when
 * nothing is left.
 */
export async function readRemains(redis: Redis, saleId: string): Promise<Remains | undefined> {
  const snapshot = await readAll(redis, saleId);
  const isAnyLeft = snapshot.units > 0 || snapshot.claims.size > 0 || snapshot.standby.length > 0;
  return isAnyLeft ? snapshot : undefined;
}

/**
 * Reads all keys of a sale in one transaction. A sale that is not loaded comes back with 0 units.
 *
 * @throws NotVerified when its keys were moved: a rebuild from what is left under the old names would lose every claim without order
 */
async function readAll(redis: Redis, saleId: string): Promise<Snapshot> {
  const keys = keysOf(saleId);
  const replies = await redis
    .multi()
    .hmget(keys.sale, 'units', 'generation', 'runId', 'standbyCap', 'standbySeq', 'stateGeneration', 'version')
    .lrange(keys.stock, 0, -1)
    .hgetall(keys.claims)
    .zrange(keys.outbox, '0', '-1', 'WITHSCORES')
    .zrange(keys.standby, '0', '-1', 'WITHSCORES')
    .time()
    // It fails when the keys were moved.
    .hlen(registryKeyOf(saleId))
    .exec()
    .then(repliesOf<[(string | null)[], string[], Record<string, string>, string[], string[], [string, string]]>)
    .catch(refuseMoved);
  const [sale, stock, claims, outbox, standby, time] = replies;
  const [units, generation, runId, standbyCap, lastTicket, stateGeneration, version] = sale;
  return {
    units: Number(units),
    version: Number(version),
    generation: Number(generation),
    latestGeneration: Math.max(Number(generation), Number(stateGeneration)),
    runId: runId ?? '',
    stock: stock.map(Number),
    claims: new Map(Object.entries(claims).map(([buyerId, record]) => [buyerId, parseClaimRecord(record)])),
    outbox: new Map(pairs(outbox)),
    standby: pairs(standby).map(([buyerId]) => buyerId),
    tickets: pairs(standby).map(([, ticket]) => ticket),
    lastTicket: Number(lastTicket),
    standbyCap: Number(standbyCap),
    atMs: msOf(time),
  };
}

/** Pairs the flat reply of Redis for a sorted set: member, score, member, score. */
function pairs(listed: string[]): [member: string, score: number][] {
  return Array.from({ length: listed.length / 2 }, (_, i) => [listed[2 * i] as string, Number(listed[2 * i + 1])]);
}

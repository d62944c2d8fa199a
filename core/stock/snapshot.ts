import { type ClaimRecord, parseClaimRecord } from '../claim.js';
import type { Redis } from '../redis.js';
import { keysOf } from './keys.js';

/** Everything Redis holds of a sale at one instant. */
export interface Snapshot {
  units: number;
  generation: number;
  runId: string;
  stock: number[];
  claims: Map<string, ClaimRecord>;
  outbox: Map<string, number>;
  standby: string[];
  /** Redis's clock at that instant, in ms since the epoch. */
  atMs: number;
}

/**
 * Reads a whole sale in one transaction. Linear in its size: for audits, repairs and rebuilds.
 *
 * @param redis a connection
 * @param saleId the sale
 * @returns the snapshot, or undefined when the sale isn't loaded
 */
export async function readSnapshot(redis: Redis, saleId: string): Promise<Snapshot | undefined> {
  const keys = keysOf(saleId);
  const replies = await redis
    .multi()
    .hmget(keys.sale, 'units', 'generation', 'runId')
    .lrange(keys.stock, 0, -1)
    .hgetall(keys.claims)
    .zrange(keys.outbox, '0', '-1', 'WITHSCORES')
    .zrange(keys.standby, '0', '-1')
    .time()
    .exec();
  const [sale, stock, claims, outbox, standby, time] = (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as [(string | null)[], string[], Record<string, string>, string[], string[], [string, string]];
  const [units, generation, runId] = sale;
  if (!units) return undefined;
  return {
    units: Number(units),
    generation: Number(generation),
    runId: runId ?? '',
    stock: stock.map(Number),
    claims: new Map(Object.entries(claims).map(([buyerId, record]) => [buyerId, parseClaimRecord(record)])),
    outbox: new Map(outbox.flatMap((v, i) => (i % 2 === 0 ? [[v, Number(outbox[i + 1])] as const] : []))),
    standby,
    atMs: Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000),
  };
}

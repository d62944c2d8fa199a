import type { Redis } from '#core/redis/connection.js';
import { keysOf } from '#core/redis/keys.js';
import { repliesOf } from '#core/redis/replies.js';
import { type Facts, readFacts } from '#core/redis/sale/content.js';
import { type ClaimRecord, parseClaimRecord } from '#core/rules/claim.js';

/** Everything that Redis holds of a small sale. */
export interface Snapshot
  extends Pick<
    Facts,
    'units' | 'version' | 'generation' | 'latestGeneration' | 'runId' | 'standbyCap' | 'lastTicket' | 'atMs'
  > {
  stock: number[];
  claims: Map<string, ClaimRecord>;
  outbox: Map<string, number>;
  /** The ids of the buyers on standby, first one first. */
  standby: string[];
  /** The numbers that the buyers on standby drew when joining, ascending. */
  tickets: number[];
}

/** Reads a whole sale from Redis; undefined when it is not loaded. */
export async function readSnapshot(redis: Redis, saleId: string): Promise<Snapshot | undefined> {
  const keys = keysOf(saleId);
  const { free: _, claims: __, unplaced: ___, waiting: ____, ...facts } = await readFacts(redis, saleId);
  if (!(facts.units > 0)) return undefined;
  const [stock, claims, outbox, standby] = await redis
    .multi()
    .lrange(keys.stock, 0, -1)
    .hgetall(keys.claims)
    .zrange(keys.outbox, '0', '-1', 'WITHSCORES')
    .zrange(keys.standby, '0', '-1', 'WITHSCORES')
    .exec()
    .then(repliesOf<[string[], Record<string, string>, string[], string[]]>);
  return {
    ...facts,
    stock: stock.map(Number),
    claims: new Map(Object.entries(claims).map(([buyerId, record]) => [buyerId, parseClaimRecord(record)])),
    outbox: new Map(pairs(outbox)),
    standby: pairs(standby).map(([buyerId]) => buyerId),
    tickets: pairs(standby).map(([, ticket]) => ticket),
  };
}

/** Pairs the flat reply of Redis for a sorted set: member, score, member, score. */
function pairs(listed: string[]): [member: string, score: number][] {
  return Array.from({ length: listed.length / 2 }, (_, i) => [listed[2 * i] as string, Number(listed[2 * i + 1])]);
}

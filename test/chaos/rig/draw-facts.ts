import { drawKeyOf, keysOf } from '#core/redis/keys.js';
import type { Shards } from '#core/redis/shards.js';
import type { DrawFacts } from '../history/draw-facts.js';
import { ticketsIn } from '../workload/draws.js';
import type { Query } from '../workload/query.js';

/** Reads the draws of some sales at rest. */
export function readDrawFacts(redis: Shards, query: Query, saleIds: readonly string[]): Promise<DrawFacts[]> {
  return Promise.all(saleIds.map(saleId => readOne(redis, query, saleId)));
}

async function readOne(redis: Shards, query: Query, saleId: string): Promise<DrawFacts> {
  const [draw] = await query(
    `SELECT encode(seed, 'hex') AS seed, encode(salt_key, 'hex') AS salt_key, coalesce(encode(root, 'hex'), '') AS root,
            coalesce(value, '') AS value, (dealt_at IS NOT NULL)::text AS dealt FROM draws WHERE sale_id = '${saleId}'`,
  );
  const rows = await query(
    `SELECT buyer_id, number, is_in::text, is_waiting::text FROM entries WHERE sale_id = '${saleId}' ORDER BY number, buyer_id`,
  );
  const server = redis.of(saleId);
  const standby = await server.zrange(keysOf(saleId).standby, '0', '-1', 'WITHSCORES');
  const chunks = Object.entries(await server.hgetallBuffer(drawKeyOf(saleId))).filter(([name]) => /^\d+$/.test(name));
  return {
    saleId,
    seed: String(draw?.seed),
    saltKey: String(draw?.salt_key),
    root: String(draw?.root),
    value: String(draw?.value),
    isDealt: draw?.dealt === 'true',
    entries: rows.map(row => ({
      buyerId: String(row.buyer_id),
      number: Number(row.number),
      isIn: row.is_in === 'true',
      isWaiting: row.is_waiting === 'true',
    })),
    standby: ticketsIn(standby),
    claimants: await server.hkeys(keysOf(saleId).claims),
    list: Buffer.concat(chunks.sort(([a], [b]) => Number(a) - Number(b)).map(([, chunk]) => chunk)),
  };
}

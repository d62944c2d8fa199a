import type { Redis } from '../redis.js';
import { keysOf } from './keys.js';
import { msOf } from './replies.js';
import { listLoadedSales } from './sale.js';

/**
 * @param redis a connection
 * @returns how long ago the oldest claim was won that has no order yet, in any sale, in ms by Redis's clock; 0 when there is none
 */
export async function outboxAgeMs(redis: Redis): Promise<number> {
  const saleIds = await listLoadedSales(redis);
  const oldest = await Promise.all(
    saleIds.map(id => redis.zrangebyscore(keysOf(id).outbox, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)),
  );
  const nowMs = msOf(await redis.time());
  return Math.max(0, ...oldest.map(([, wonAtMs]) => (wonAtMs === undefined ? 0 : nowMs - Number(wonAtMs))));
}

import { keysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/**
 * Removes a buyer from a sale's standby, the list of buyers who wait for a unit to come back.
 *
 * @returns whether the buyer was on standby
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function leaveStandby(redis: Shards, saleId: string, buyerId: string): Promise<boolean> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis.of(saleId), 'leave-standby', {
    keys: [keys.sale, keys.standby],
    args: [buyerId],
  });
  return behindFence<number>(reply, saleId)[0] === 1;
}

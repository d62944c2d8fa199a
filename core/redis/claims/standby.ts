import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';

/**
 * Takes a buyer out of the line.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param buyerId the buyer
 * @returns whether they were in it
 * @throws NotVerified when the sale isn't verified
 */
export async function leaveStandby(redis: Redis, saleId: string, buyerId: string): Promise<boolean> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis, 'leave-standby', [keys.sale, keys.standby], [buyerId]);
  return behindFence<number>(reply, saleId)[0] === 1;
}

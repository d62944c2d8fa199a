import { keysOf } from '../keys.js';
import { runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/**
 * Makes Redis send the changes of a sale that wait for its next message, to all who follow the sale. Does nothing if none wait.
 *
 * @throws ioredis's error
 */
export async function sendGathered(redis: Shards, saleId: string): Promise<void> {
  await runScript(redis.of(saleId), 'tell-changes', { keys: [keysOf(saleId).sale], args: [] });
}

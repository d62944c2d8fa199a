import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { runScript } from '../scripts.js';

/**
 * Makes Redis send the changes of a sale that wait for its next message, to all who follow the sale. Does nothing if none wait.
 *
 * @throws ioredis's error
 */
export async function sendGathered(redis: Redis, saleId: string): Promise<void> {
  await runScript(redis, 'tell-changes', { keys: [keysOf(saleId).sale], args: [] });
}

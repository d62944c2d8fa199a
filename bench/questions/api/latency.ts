import { underLoad } from '../../measure/crowd.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

/**
 * Asks how long a claim takes at a fixed rate. Requests do not wait for answers, and the time counts from the schedule. So
 * a stall counts for every buyer who arrived during it, as in a real sale.
 *
 * @param perSecond winning claims a second
 */
export async function latency(rig: Rig, api: Server, perSecond: number): Promise<Figures> {
  await forgetAll(rig);
  const seconds = rig.options.latencySeconds;
  const count = Math.ceil(perSecond * seconds);
  const saleId = await createRedisSale(rig, count);
  const crowd = { path: `/buy/${saleId}`, count, seconds: seconds + 1, perSecond };
  const { outcome } = await underLoad(rig, { server: api, crowd, expected: [202, 429, 503] });
  return { ...outcome.latency, perSecond, turnedAway: outcome.answers - (outcome.statuses['202'] ?? 0) };
}

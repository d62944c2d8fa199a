import { underLoad } from '../../measure/measure.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll, openInRedis } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

/**
 * How long does a claim take at half of what the API can do? Requests start on a schedule that doesn't wait for answers, and the time
 * counts from the schedule: a stall is felt by everybody who came meanwhile, as it is in a real sale.
 *
 * @param rig the rig
 * @param api the API
 * @param perSecond winning claims a second
 */
export async function latency(rig: Rig, api: Server, perSecond: number): Promise<Figures> {
  await forgetAll(rig);
  const seconds = rig.options.latencySeconds;
  const count = Math.ceil(perSecond * seconds);
  const saleId = await openInRedis(rig, count);
  const crowd = { path: `/buy/${saleId}`, count, seconds: seconds + 1, perSecond };
  const { outcome } = await underLoad(rig, api, crowd, [202, 429, 503]);
  return { ...outcome.latency, perSecond, turnedAway: outcome.answers - (outcome.statuses['202'] ?? 0) };
}

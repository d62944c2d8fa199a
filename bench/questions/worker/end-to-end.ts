import { keysOf } from '#core/redis/keys.js';
import { cpuSeconds, familyCpuSeconds } from '../../measure/cpu.js';
import { underLoad } from '../../measure/crowd.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createWholeSale, forgetAll } from '../../rig/sale.js';
import { type Server, startWorker } from '../../rig/server.js';
import { expectClaims } from '../api/wins.js';
import { countOrders } from './drain.js';

/** More claims a second than the API answers on two cores. */
const CLAIMS_PER_SECOND_MAX = 12_000;

/**
 * Asks how many orders a second reach Postgres when generator, API, Redis, worker and Postgres share the machine. Only
 * orders placed within the time count; accepted claims without an order are the backlog.
 *
 * @param perSecond claims offered each second; without a rate, each answer is followed by the next claim
 */
export async function endToEnd(rig: Rig, api: Server, perSecond?: number): Promise<Figures> {
  await forgetAll(rig);
  const seconds = rig.options.endToEndSeconds;
  const count = Math.ceil((perSecond ?? CLAIMS_PER_SECOND_MAX) * seconds);
  const saleId = await createWholeSale(rig, count);
  const worker = await startWorker(rig);
  try {
    const pids = { api: api.pid, worker: worker.pid, redis: rig.stores.redis.pid };
    const used = () => ({
      ...Object.fromEntries(Object.entries(pids).map(([name, pid]) => [`${name}Micros`, cpuSeconds(pid)])),
      postgresMicros: familyCpuSeconds(rig.stores.postgres.pid),
    });
    const before: Figures = used();
    const crowd = { path: `/buy/${saleId}`, count, seconds, ...(perSecond && { perSecond }) };
    // The API turns buyers away while too many wait; they are counted apart.
    const { outcome, figures } = await underLoad(rig, { server: api, crowd, expected: [202, 429, 503] });
    const placed = await countOrders(rig, saleId);
    const backlog = await rig.redis.zcard(keysOf(saleId).outbox);
    const accepted = outcome.statuses['202'] ?? 0;
    // A 503 may hide a win: then Redis holds more claims than the winners that were counted.
    if (!outcome.statuses['503']) await expectClaims(rig, saleId, accepted);
    const costs = Object.entries(used()).map(([name, end]) => [name, ((end - (before[name] ?? 0)) * 1e6) / placed]);
    return {
      perSecond: placed / outcome.seconds,
      acceptedPerSecond: accepted / outcome.seconds,
      turnedAway: outcome.answers - accepted,
      backlog,
      ...(outcome.latency && { p99: outcome.latency.p99 }),
      ...Object.fromEntries(costs),
      generatorMicros: figures.generatorMicros,
    };
  } finally {
    await worker.stop();
  }
}

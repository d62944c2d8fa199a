import { keysOf } from '#core/redis/keys.js';
import { cpuSeconds, familyCpuSeconds } from '../../measure/cpu.js';
import { underLoad } from '../../measure/measure.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll, openEverywhere } from '../../rig/sale.js';
import { type Server, startWorker } from '../../rig/server.js';
import { expectClaims } from '../api/wins.js';
import { countOrders } from './drain.js';

/** More than can be claimed in a second here. */
const CLAIMS_PER_SECOND_MAX = 12_000;

/**
 * How many orders a second are in Postgres, when generator, API, Redis, worker and Postgres share the machine? Only what is
 * placed by the end of the time counts; what was accepted and is not placed yet is told beside it.
 *
 * @param rig the rig
 * @param api the API
 * @param perSecond claims that are offered each second; without, as many as are answered
 */
export async function endToEnd(rig: Rig, api: Server, perSecond?: number): Promise<Figures> {
  await forgetAll(rig);
  const seconds = rig.options.endToEndSeconds;
  const count = Math.ceil((perSecond ?? CLAIMS_PER_SECOND_MAX) * seconds);
  const saleId = await openEverywhere(rig, count);
  const worker = await startWorker(rig);
  try {
    const pids = { api: api.pid, worker: worker.pid, redis: rig.stores.redis.pid };
    const used = () => ({
      ...Object.fromEntries(Object.entries(pids).map(([name, pid]) => [`${name}Micros`, cpuSeconds(pid)])),
      postgresMicros: familyCpuSeconds(rig.stores.postgres.pid),
    });
    const before: Figures = used();
    const crowd = { path: `/buy/${saleId}`, count, seconds, ...(perSecond && { perSecond }) };
    // Whoever comes when too many wait already is turned away, and counted apart.
    const { outcome, figures } = await underLoad(rig, api, crowd, [202, 429, 503]);
    const placed = await countOrders(rig, saleId);
    const backlog = await rig.redis.zcard(keysOf(saleId).outbox);
    const accepted = outcome.statuses['202'] ?? 0;
    // A 503 may hide a win: then there are more claims than were told of, never fewer.
    if (!outcome.statuses['503']) await expectClaims(rig, saleId, accepted);
    const costs = Object.entries(used()).map(([name, end]) => [name, ((end - (before[name] ?? 0)) * 1e6) / placed]);
    return {
      perSecond: placed / outcome.seconds,
      acceptedPerSecond: accepted / outcome.seconds,
      turnedAway: outcome.answers - accepted,
      backlog,
      ...(outcome.latency && { p99: outcome.latency.p99 }),
      ...Object.fromEntries(costs),
      generatorMicros: figures.generatorMicros as number,
    };
  } finally {
    await worker.stop();
  }
}

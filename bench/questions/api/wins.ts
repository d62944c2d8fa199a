import { keysOf } from '#core/redis/keys.js';
import { crowdSize, underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

/** Asks how many claims a second the API makes when every buyer wins. No worker takes the jobs. */
export function wins(rig: Rig, api: Server): Contestant {
  return {
    name: 'wins',
    async measure() {
      await forgetAll(rig);
      const saleId = await createRedisSale(rig, crowdSize(rig));
      await rig.redis.config('RESETSTAT');
      const run = { server: api, crowd: { path: `/buy/${saleId}` }, expected: [202] };
      const { outcome, figures } = await underLoad(rig, run);
      const calls = await scriptCalls(rig);
      await expectClaims(rig, saleId, outcome.answers);
      const queued = await rig.queues.of('')['place-waiting'].getWaitingCount();
      return { ...figures, claimsPerCall: outcome.answers / (calls - queued) };
    },
  };
}

/** Counts the calls of scripts: one for each batch of claims, and one for each job. */
async function scriptCalls(rig: Rig): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await rig.redis.info('commandstats'))?.[1]);
}

/**
 * Compares the number of winning answers with the claims in Redis.
 *
 * @throws Error when they differ
 */
export async function expectClaims(rig: Rig, saleId: string, won: number): Promise<void> {
  const claims = await rig.redis.hlen(keysOf(saleId).claims);
  if (claims !== won) throw new Error(`${won} buyers were answered that they won, and Redis holds ${claims} claims`);
}

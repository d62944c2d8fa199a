import { keysOf } from '#core/redis/keys.js';
import { crowdSize, underLoad } from '../../measure/measure.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll, openInRedis } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

/** How many claims a second, when every request is a new buyer who wins? Their jobs are queued, and nobody takes them yet. */
export function wins(rig: Rig, api: Server): Contestant {
  return {
    name: 'wins',
    async measure() {
      await forgetAll(rig);
      const saleId = await openInRedis(rig, crowdSize(rig));
      await rig.redis.config('RESETSTAT');
      const { outcome, figures } = await underLoad(rig, api, { path: `/buy/${saleId}` }, [202]);
      const calls = await scriptCalls(rig);
      await expectClaims(rig, saleId, outcome.answers);
      const queued = await rig.queues['place-orders'].getWaitingCount();
      return { ...figures, claimsPerCall: outcome.answers / (calls - queued), claimsPerJob: outcome.answers / queued };
    },
  };
}

/** Calls of scripts: one for each batch of claims, and one for each job. */
async function scriptCalls(rig: Rig): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await rig.redis.info('commandstats'))?.[1]);
}

/**
 * Counts the winners where they are kept.
 *
 * @throws Error unless there are as many as were told that they won
 */
export async function expectClaims(rig: Rig, saleId: string, told: number): Promise<void> {
  const keys = keysOf(saleId);
  const claims = await rig.redis.hlen(keys.claims);
  if (claims !== told) throw new Error(`${told} buyers were told that they won, and ${claims} did`);
}

import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll, winAll } from '../../rig/sale.js';
import { allPlaced } from './repeats.js';

/** Claims of one measurement. A small sale is opened again and again to reach them. */
const CLAIMS = 10_000;
const BATCH = 50;

/**
 * Asks what a claim costs Redis in a sale that is half sold. Redis's own command statistics give the time, so neither the
 * network nor this process is in the figure.
 */
export function claimCost(rig: Rig, units: number): Contestant {
  const sold = units / 2;
  const perSale = Math.min(units - sold, CLAIMS);
  return {
    name: `claimCost${units}`,
    async measure() {
      await forgetAll(rig);
      const state = allPlaced(sold);
      let micros = 0;
      for (let done = 0; done < CLAIMS; done += perSale) {
        const saleId = await createRedisSale(rig, units, state);
        await rig.redis.config('RESETSTAT');
        await winAll(rig, { saleId, first: sold, count: perSale, size: BATCH });
        micros += await scriptMicros(rig);
      }
      return { micros: micros / CLAIMS };
    },
  };
}

/** Adds EVAL to EVALSHA: a script that Redis does not know yet arrives as EVAL, once. */
async function scriptMicros(rig: Rig): Promise<number> {
  const stats = await rig.redis.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/g)];
  return calls.reduce((sum, [, micros]) => sum + Number(micros), 0);
}

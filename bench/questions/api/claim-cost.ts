import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll, openInRedis, winAll } from '../../rig/sale.js';
import { allPlaced } from './repeats.js';

/** Claims of one measurement; a small sale is opened again and again for them. */
const CLAIMS = 10_000;
const BATCH = 50;

/**
 * What does a claim cost Redis, when the sale has that many units and is half sold? By Redis's own clock for commands, so neither the
 * network nor this process is in it.
 *
 * @param rig the rig
 * @param units of the sale
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
        const saleId = await openInRedis(rig, units, state);
        await rig.redis.config('RESETSTAT');
        await winAll(rig, saleId, sold, perSale, BATCH);
        micros += await scriptMicros(rig);
      }
      return { micros: micros / CLAIMS };
    },
  };
}

/** A script that Redis doesn't know yet comes as EVAL, once. */
async function scriptMicros(rig: Rig): Promise<number> {
  const stats = await rig.redis.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/g)];
  return calls.reduce((sum, [, micros]) => sum + Number(micros), 0);
}

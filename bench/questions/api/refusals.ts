import { underLoad } from '../../measure/measure.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll, openInRedis, winAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

const UNITS = 100;
/** Far from the crowd. */
const HOLDERS = 5_000_000;

/**
 * How many new buyers a second can be told that everything is sold?
 *
 * @param rig the rig
 * @param server who tells them: the API, or the port to Express
 * @param name of the contestant
 */
export function refusals(rig: Rig, server: Server, name = 'refusals'): Contestant {
  return {
    name,
    async measure() {
      await forgetAll(rig);
      const saleId = await openInRedis(rig, UNITS);
      await winAll(rig, saleId, HOLDERS, UNITS);
      return (await underLoad(rig, server, { path: `/buy/${saleId}` }, [409])).figures;
    },
  };
}

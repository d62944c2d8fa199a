import { underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll, winAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

const UNITS = 100;
/** The number of the first holder, beyond every buyer of the crowd. */
const FIRST_HOLDER = 5_000_000;

/**
 * Asks how many new buyers a second get the answer that everything is sold.
 *
 * @param server the API, or the port to Express
 */
export function refusals(rig: Rig, server: Server, name = 'refusals'): Contestant {
  return {
    name,
    async measure() {
      await forgetAll(rig);
      const saleId = await createRedisSale(rig, UNITS);
      await winAll(rig, { saleId, first: FIRST_HOLDER, count: UNITS });
      return (await underLoad(rig, { server, crowd: { path: `/buy/${saleId}` }, expected: [409] })).figures;
    },
  };
}

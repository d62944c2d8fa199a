import { underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';
import { allPlaced } from './repeats.js';

const HOLDERS = 20_000;

/** Asks how many statuses a second the API sends. Each poll gets the whole answer. */
export function polls(rig: Rig, api: Server): Contestant {
  return {
    name: 'polls',
    async measure() {
      await forgetAll(rig);
      const saleId = await createRedisSale(rig, HOLDERS, allPlaced(HOLDERS));
      const crowd = { method: 'GET', path: `/order-status/${saleId}`, count: HOLDERS, again: true } as const;
      return (await underLoad(rig, { server: api, crowd, expected: [200] })).figures;
    },
  };
}

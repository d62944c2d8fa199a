import { passUsefulAtMs } from '#core/rules/sale.js';
import { crowdSize, underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createPassSale, forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';
import { expectClaims } from './wins.js';

/** Asks the same as `wins`, of a sale with all rules against robots: passes, strikes, and a group for each buyer. */
export function strictWins(rig: Rig, api: Server): Contestant {
  return {
    name: 'strictWins',
    async measure() {
      await forgetAll(rig);
      const sale = await createPassSale(rig, crowdSize(rig), { hasAllRules: true });
      const pass = { saleId: sale.id, secret: rig.secret, usefulAtMs: passUsefulAtMs(sale) };
      const crowd = { path: `/buy/${sale.id}`, grouped: true, pass };
      const { outcome, figures } = await underLoad(rig, { server: api, crowd, expected: [202] });
      await expectClaims(rig, sale.id, outcome.answers);
      return figures;
    },
  };
}

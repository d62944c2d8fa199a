import { crowdSize, underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import { type Server, startBaseline } from '../../rig/server.js';
import { refusals } from '../api/refusals.js';
import { expectClaims } from '../api/wins.js';

/** Asks how fast the straight port is: Express, and one call of the claim script for each request. */
export async function express(rig: Rig): Promise<Contestant[]> {
  const server = await startBaseline(rig, 'express');
  return [expressWins(rig, server), { ...refusals(rig, server, 'expressRefusals'), close: server.stop }];
}

function expressWins(rig: Rig, server: Server): Contestant {
  return {
    name: 'expressWins',
    async measure() {
      await forgetAll(rig);
      const saleId = await createRedisSale(rig, crowdSize(rig));
      const run = { server, crowd: { path: `/buy/${saleId}` }, expected: [202] };
      const { outcome, figures } = await underLoad(rig, run);
      await expectClaims(rig, saleId, outcome.answers);
      return figures;
    },
  };
}

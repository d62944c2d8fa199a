import { randomUUID } from 'node:crypto';
import type { StartingState } from '#core/redis/sale/open-sale.js';
import { buyerName } from '../../load/plan.js';
import { underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

const HOLDERS = 20_000;
/** The API copies a sold-out sale into memory in about 0.1 s; a busy machine takes longer. */
export const COPIED_WITHIN_SECONDS = 1;
const PAY_WITHIN_MS = 600_000;

/** Creates a placed, unpaid claim for each buyer. A second after the start of a sale most claims are like this. */
export function allPlaced(count: number): StartingState {
  const payByMs = Date.now() + PAY_WITHIN_MS;
  const claims = Array.from({ length: count }, (_, i) => ({
    buyerId: buyerName(i),
    claimId: randomUUID(),
    unit: i + 1,
    status: 'pending_payment' as const,
    payByMs,
  }));
  return { claims, outbox: [], standby: [] };
}

/**
 * Asks how many holders a second can click again when everything is sold. Each of them gets the same claim again. The first
 * clicks make the API copy the sale, and do not count.
 */
export function repeats(rig: Rig, api: Server): Contestant {
  return {
    name: 'repeats',
    async measure() {
      await forgetAll(rig);
      const saleId = await createRedisSale(rig, HOLDERS, allPlaced(HOLDERS));
      const crowd = { path: `/buy/${saleId}`, count: HOLDERS, again: true };
      const run = { server: api, crowd, expected: [200] };
      await underLoad(rig, { ...run, crowd: { ...crowd, seconds: COPIED_WITHIN_SECONDS } });
      return (await underLoad(rig, run)).figures;
    },
  };
}

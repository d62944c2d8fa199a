import { randomUUID } from 'node:crypto';
import type { StartingState } from '#core/redis/sale/open-sale.js';
import { buyerName } from '../../load/plan.js';
import { underLoad } from '../../measure/measure.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll, openInRedis } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

const HOLDERS = 20_000;
/** A copy of the sale is made in about 0.1 s; the machine may be busy. */
const COPIED_WITHIN_SECONDS = 1;
const PAY_WITHIN_MS = 600_000;

/** @returns everybody of a crowd with a claim that is placed and not paid yet, as most have after the first second */
export function allPlaced(count: number, first = 0): StartingState {
  const payByMs = Date.now() + PAY_WITHIN_MS;
  const claims = Array.from({ length: count }, (_, i) => ({
    buyerId: buyerName(first + i),
    claimId: randomUUID(),
    unit: i + 1,
    status: 'pending_payment' as const,
    payByMs,
  }));
  return { claims, outbox: [], standby: [] };
}

/**
 * How many holders a second can click again, when everything is sold? Each gets the claim that they have. The clicks of the first
 * moment make the API copy the sale, and don't count.
 */
export function repeats(rig: Rig, api: Server): Contestant {
  return {
    name: 'repeats',
    async measure() {
      await forgetAll(rig);
      const saleId = await openInRedis(rig, HOLDERS, allPlaced(HOLDERS));
      const crowd = { path: `/buy/${saleId}`, count: HOLDERS, again: true };
      await underLoad(rig, api, { ...crowd, seconds: COPIED_WITHIN_SECONDS }, [200]);
      return (await underLoad(rig, api, crowd, [200])).figures;
    },
  };
}

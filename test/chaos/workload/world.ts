import type { NewSale } from '#core/operator/create-sale.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import type { Connections } from '#stack/stores/connections.js';
import type { SaleFacts } from '../history/claim-view.js';

/** The price of one unit in every sale, in minor units. */
export const PRICE_MINOR = 500;

/** With this number of units a sale can't run out in a day of chaos. */
const PLENTY = 10_000;

/** After this time the crowd turns to the next small sale, in ms. */
const SMALL_FOR_MS = 20 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Picks the settings of sales that the checks need. */
export function factsOf(sales: readonly NewSale[]): SaleFacts[] {
  return sales.map(({ id, units, opensAtMs, closesAtMs, standbyFactor, settlement, provider }) => ({
    id,
    units,
    opensAtMs,
    closesAtMs,
    settlement,
    provider,
    standby: standbyFactor > 0,
  }));
}

/** The sales of a run, by the id of each. */
export interface World {
  sales: NewSale[];
  /** Has a unit for every buyer. */
  big: string;
  /** Has few units for many buyers, who mostly give them back. Each small sale is used for 20 s. */
  small(elapsedMs: number): string;
  /** Has a standby. */
  standby: string;
  /** Takes the payment as the order is placed. */
  immediate: string;
  /** Are paid at a provider: one with a unit for every buyer, one with few, and one that always returns late money. */
  elsewhere: readonly string[];
  /** Is for the probe, which tries all the time whether a claim is placed. */
  probe: string;
}

/**
 * Creates the sales of a run.
 *
 * @param runMs the length of the run, in ms
 */
export async function createWorld(connections: Connections, runMs: number): Promise<World> {
  const sales: NewSale[] = [];
  const create = async (id: string, wishes: Partial<NewSale>): Promise<string> => {
    const sale = await createOpenSale(connections, {
      id,
      units: PLENTY,
      priceMinor: PRICE_MINOR,
      payWithinSeconds: 3,
      standbyFactor: 0,
      // A little before now: the clock of the clients and of Redis is the same, but is read at different times.
      opensAtMs: Date.now() - SECOND_MS,
      closesAtMs: Date.now() + runMs + HOUR_MS,
      ...wishes,
    });
    sales.push(sale);
    return id;
  };
  const small = await Promise.all(
    Array.from({ length: Math.ceil(runMs / SMALL_FOR_MS) + 1 }, (_, i) =>
      create(`small-${i + 1}`, { units: 12 + (i % 3) * 8 }),
    ),
  );
  return {
    sales,
    big: await create('big', {}),
    small: elapsedMs => small[Math.min(small.length - 1, Math.floor(elapsedMs / SMALL_FOR_MS))] as string,
    standby: await create('standby', { units: 25, standbyFactor: 2 }),
    immediate: await create('immediate', { settlement: 'immediate' }),
    elsewhere: [
      await create('elsewhere', { provider: 'signed-webhook' }),
      await create('elsewhere-few', { provider: 'signed-webhook', units: 20 }),
      await create('elsewhere-strict', { provider: 'signed-webhook', lateMoney: 'refund' }),
    ],
    probe: await create('probe', {}),
  };
}

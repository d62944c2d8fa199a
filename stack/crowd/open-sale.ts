import { randomUUID } from 'node:crypto';
import { createSale, type NewSale } from '#core/operator/create-sale.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';

const HOUR_MS = 60 * 60 * 1_000;

/** The settings in which a sale differs from an ordinary one. The number of units is always needed. */
export type SaleWishes = Pick<Sale, 'units'> & Partial<NewSale>;

/**
 * Describes an ordinary sale: open now, for an hour, with an id of its own and deferred payment from the wallet.
 *
 * @param wishes replace the ordinary settings
 */
export function ordinarySale(wishes: SaleWishes): Sale {
  return {
    id: `drop-${randomUUID()}`,
    title: 'Dropline demo',
    priceMinor: 4_900,
    currency: 'EUR',
    opensAtMs: Date.now(),
    closesAtMs: Date.now() + HOUR_MS,
    payWithinSeconds: 300,
    settlement: 'deferred',
    provider: 'wallet',
    lateMoney: 'regrab',
    standbyFactor: 3,
    opening: 'rush',
    onePurchaseAtATime: false,
    minSecondsBetweenPurchases: 0,
    unpaidLimit: 0,
    perGroup: 0,
    needsPass: false,
    passWork: 0,
    coarseStock: false,
    ...wishes,
    state: 'open',
    generation: 1,
  };
}

/**
 * Creates a sale in Postgres and loads it into Redis, so that buyers can claim.
 *
 * @param wishes replace the settings of an {@link ordinarySale}
 * @throws when a sale with this id exists
 */
export async function createOpenSale(connections: StepContext, wishes: SaleWishes): Promise<Sale> {
  const sale = ordinarySale(wishes);
  if (!(await createSale(connections, sale))) throw new Error(`there is a sale ${sale.id} already`);
  return sale;
}

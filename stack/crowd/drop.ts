import { randomUUID } from 'node:crypto';
import { createSale, type NewSale } from '#core/operator/create-sale.js';
import type { Sale } from '#core/rules/sale.js';
import type { Connections } from '../stores/connections.js';

const HOUR_MS = 60 * 60 * 1_000;

/** What a sale needs to be told; the rest has the values of an ordinary one that is open now. */
export type SaleWishes = Pick<Sale, 'units'> & Partial<NewSale>;

/**
 * @param wishes what is to be otherwise than usual
 * @returns an ordinary sale, like no other, open for an hour from now
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
    onePurchaseAtATime: false,
    minSecondsBetweenPurchases: 0,
    ...wishes,
    state: 'open',
    generation: 1,
  };
}

/**
 * Stores a sale and loads it into Redis.
 *
 * @param connections both stores, and the queues
 * @param wishes what it has otherwise than {@link ordinarySale}
 * @returns the sale
 * @throws when there is one with this id already
 */
export async function openDrop(connections: Connections, wishes: SaleWishes): Promise<Sale> {
  const sale = ordinarySale(wishes);
  if (!(await createSale(connections, sale))) throw new Error(`there is a sale ${sale.id} already`);
  return sale;
}

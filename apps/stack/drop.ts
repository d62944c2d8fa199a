import { randomUUID } from 'node:crypto';
import type { Sale } from '#core/sale.js';
import { createSale, type NewSale } from '#core/steps/create-sale.js';
import type { Connections } from './connections.js';

const HOUR_MS = 60 * 60 * 1_000;

/** What a sale needs to be told; the rest has the values of an ordinary one that is open now. */
export type SaleWishes = Pick<Sale, 'units'> & Partial<NewSale>;

/**
 * Stores a sale and loads it into Redis.
 * @returns the sale
 * @throws when there is one with this id already
 */
export async function openDrop(connections: Connections, wishes: SaleWishes): Promise<Sale> {
  const sale = {
    id: `drop-${randomUUID()}`,
    title: 'Dropline demo',
    priceMinor: 4_900,
    currency: 'EUR',
    opensAtMs: Date.now(),
    closesAtMs: Date.now() + HOUR_MS,
    payWithinSeconds: 300,
    settlement: 'deferred' as const,
    provider: 'wallet' as const,
    lateMoney: 'regrab' as const,
    standbyFactor: 3,
    onePurchaseAtATime: false,
    minSecondsBetweenPurchases: 0,
    ...wishes,
  };
  if (!(await createSale(connections, sale))) throw new Error(`there is a sale ${sale.id} already`);
  return { ...sale, state: 'open', generation: 1 };
}

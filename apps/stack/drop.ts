import { randomUUID } from 'node:crypto';
import { createSale, updateSale } from '#core/orders/sales.js';
import { openShopAccounts } from '#core/orders/wallet.js';
import type { Sale } from '#core/sale.js';
import { openSale, setSale } from '#core/stock/sale.js';
import type { Connections } from './connections.js';

const HOUR_MS = 60 * 60 * 1_000;

/** What a sale needs to be told; the rest has the values of an ordinary one that is open now. */
export type SaleWishes = Pick<Sale, 'units'> & Partial<Omit<Sale, 'state' | 'generation'>>;

/**
 * Stores a sale and loads it into Redis.
 * @returns the sale
 * @throws when there is one with this id already
 */
export async function openDrop({ db, redis }: Connections, wishes: SaleWishes): Promise<Sale> {
  const sale: Omit<Sale, 'state' | 'generation'> = {
    id: `drop-${randomUUID()}`,
    title: 'Dropline demo',
    priceMinor: 4_900,
    currency: 'EUR',
    opensAtMs: Date.now(),
    closesAtMs: Date.now() + HOUR_MS,
    payWithinSeconds: 300,
    settlement: 'deferred',
    standbyFactor: 3,
    ...wishes,
  };
  if (!(await createSale(db, sale))) throw new Error(`there is a sale ${sale.id} already`);
  await openShopAccounts(db, sale.currency);
  const opened: Sale = { ...sale, state: 'open', generation: 1 };
  await openSale(redis, opened);
  return opened;
}

/** Ends a sale: first where it is stored, then where it is sold; reconcile would do the second, too, a little later. */
export async function closeDrop({ db, redis }: Connections, saleId: string): Promise<void> {
  const sale = await updateSale(db, saleId, { state: 'closed' });
  if (sale) await setSale(redis, saleId, { state: sale.state, generation: sale.generation });
}

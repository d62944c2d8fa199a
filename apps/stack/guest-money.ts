import { creditWallets, readPenniless } from '#core/orders/wallet.js';
import type { Connections } from './connections.js';

const LOOK_EVERY_MS = 500;

/** Enough for the one unit that they may have, and for another sale. */
const GIFT_MINOR = 10_000;

/**
 * Gives money to whoever gets a unit of the demo's own sale and has no wallet: a visitor of the page is a guest whom nobody
 * could have credited before.
 *
 * @param connections Postgres
 * @param saleId the sale
 * @param currency its currency
 * @returns ends it
 */
export function giveGuestsMoney({ db }: Connections, saleId: string, currency: string): () => void {
  const give = async () => {
    const guests = await readPenniless(db, saleId, currency);
    if (guests.length > 0) await creditWallets(db, guests, GIFT_MINOR, currency);
  };
  // A Postgres that is away for a moment is asked again.
  const timer = setInterval(() => void give().catch(() => undefined), LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

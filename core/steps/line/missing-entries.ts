import { countEntries, readStoredBuyers } from '../../postgres/draws/entries.js';
import { countEntered, enteredPages, noteEntries } from '../../redis/draw/entries.js';
import type { StepContext } from '../context.js';
import { keepEntries } from './keep-entries.js';

/**
 * Stores the entries of a sale that Postgres had and has lost, as a standby of Postgres that became the primary may have. Redis has
 * forgotten that they were to be stored, and still has the entries.
 *
 * @throws the stores' errors
 */
export async function noteMissing(ctx: StepContext, saleId: string): Promise<void> {
  const { redis, db } = ctx;
  if ((await countEntered(redis, saleId)) <= (await countEntries(db, saleId))) return;
  for await (const buyerIds of enteredPages(redis, saleId)) {
    const stored = new Set(await readStoredBuyers(db, saleId, buyerIds));
    const missing = buyerIds.filter(buyerId => !stored.has(buyerId));
    if (missing.length === 0) continue;
    await noteEntries(redis, saleId, missing);
    await keepEntries(ctx, saleId);
  }
}

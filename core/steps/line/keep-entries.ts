import { lotsOf } from '../../draw/lot.js';
import { readDraw } from '../../postgres/draws/draws.js';
import { type StoredEntry, storeEntries } from '../../postgres/draws/entries.js';
import { crashPoint } from '../../process/crash-point.js';
import { forgetStored, moveToLots, readUnstored } from '../../redis/draw/entries.js';
import { readMarked } from '../../redis/marks.js';
import { inTurn } from '../../values/in-turn.js';
import type { StepContext } from '../context.js';
import { publishFacts } from './publish.js';

/** The most entries that one statement stores: some 10 ms of Postgres. */
const BATCH = 500;

/**
 * Stores the entries of all sales that buyers have joined or left.
 *
 * @throws Failures with every error, after every sale was tried
 */
export async function keepAllEntries(ctx: StepContext): Promise<void> {
  await inTurn(ctx.redis.shards, async server =>
    inTurn(
      await readMarked(server, 'entered'),
      saleId => keepEntries(ctx, saleId),
      saleId => `sale ${saleId}`,
    ),
  );
}

/**
 * Stores the entries of a sale that Postgres lacks, until there are none. An entry is forgotten in Redis only after Postgres has it.
 *
 * @throws the stores' errors: what was not stored stays in Redis
 */
export async function keepEntries(ctx: StepContext, saleId: string): Promise<void> {
  for (;;) {
    const entries = await readUnstored(ctx.redis, saleId, BATCH);
    if (entries.length === 0) return;
    const unlisted = await storeEntries(ctx.db, saleId, entries);
    await crashPoint('entries.stored');
    if (unlisted.length > 0) await admitLate(ctx, saleId, unlisted);
    await forgetStored(ctx.redis, saleId, entries);
  }
}

/**
 * Moves entries to their lots that came back by their receipts after the list was closed, and publishes how many there are: one that its
 * buyer has left counts no longer.
 */
async function admitLate(ctx: StepContext, saleId: string, unlisted: readonly StoredEntry[]): Promise<void> {
  const draw = await readDraw(ctx.db, saleId);
  if (!draw) return;
  const lotOf = lotsOf(draw);
  const late = unlisted.filter(({ isWaiting }) => isWaiting);
  if (lotOf) {
    const lots = late.map(({ buyerId }) => ({ buyerId, lot: lotOf(buyerId) }));
    await moveToLots(ctx.redis, saleId, lots);
  }
  await publishFacts(ctx, saleId);
}

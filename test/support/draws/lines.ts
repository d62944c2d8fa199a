import { randomUUID } from 'node:crypto';
import { newClaimId } from '#core/identity/claim-id.js';
import { createSale } from '#core/operator/create-sale.js';
import { readDraw, type ValueSources } from '#core/postgres/draws/draws.js';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { keysOf } from '#core/redis/keys.js';
import { isLive, parseClaimRecord } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { ordinarySale, type SaleWishes } from '#stack/crowd/open-sale.js';
import { lotsOf } from '../../chaos/history/draw-facts.js';

const HOUR_MS = 3_600_000;

/** Creates a draw that buyers may join, and that opens in an hour. */
export async function createDraw(t: StepContext, wishes: SaleWishes, sources: ValueSources = {}): Promise<Sale> {
  const nowMs = Date.now();
  const times = { joinsAtMs: nowMs - HOUR_MS, opensAtMs: nowMs + HOUR_MS, closesAtMs: nowMs + 2 * HOUR_MS };
  const sale = ordinarySale({ id: `draw-${randomUUID()}`, opening: 'draw', ...times, ...wishes });
  if (!(await createSale(t, sale, sources))) throw new Error('there is a sale with this id');
  return sale;
}

/** Lets buyers join, or claim after the opening, one after the other. */
export async function join(t: StepContext, sale: Sale, ...buyerIds: string[]): Promise<ClaimOutcome[]> {
  return claim(
    t.redis,
    sale.id,
    buyerIds.map(buyerId => ({ buyerId, claimId: newClaimId() })),
  );
}

/** Moves the opening of a sale into the past, in both stores. */
export async function letOpen(t: StepContext, { id }: Sale): Promise<void> {
  const opensAtMs = Date.now() - 1;
  await t.db.sale.update({ where: { id }, data: { opensAt: new Date(opensAtMs) } });
  await t.redis.of(id).hset(keysOf(id).sale, 'opensAtMs', opensAtMs);
}

/** Reads the line of a sale, the first buyer first. */
export function readLine(t: StepContext, { id }: Sale): Promise<string[]> {
  return t.redis.of(id).zrange(keysOf(id).standby, 0, '-1');
}

/** Reads the buyers who hold a unit, by their ids. */
export async function readWinners(t: StepContext, { id }: Sale): Promise<string[]> {
  const claims = await t.redis.of(id).hgetall(keysOf(id).claims);
  return Object.keys(claims)
    .filter(buyer => isLive(parseClaimRecord(claims[buyer] ?? '').status))
    .sort();
}

/** Reads the function that gives the lot of each buyer, computed by none of the product's code. */
export async function readLots(t: StepContext, { id }: Sale): Promise<(buyerId: string) => number> {
  const draw = await readDraw(t.db, id);
  if (!draw?.list || !draw.decided) throw new Error('the draw is not decided');
  const { seed, saltKey, list, decided } = draw;
  const root = list.root.toString('hex');
  return lotsOf({ seed: seed.toString('hex'), saltKey: saltKey.toString('hex'), root, value: decided.value });
}

/** Returns the order that a draw must have, computed by none of the product's code. */
export async function fairOrderOf(t: StepContext, sale: Sale, buyerIds: readonly string[]): Promise<string[]> {
  const lotOf = await readLots(t, sale);
  return [...buyerIds].sort((a, b) => lotOf(a) - lotOf(b));
}

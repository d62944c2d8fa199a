import { randomUUID } from 'node:crypto';
import { readOrders } from '../postgres/orders/order-row.js';
import { readLatestOrders, readWithdrawnUnits } from '../postgres/orders/sale-orders.js';
import { recordRepairs } from '../postgres/repairs.js';
import { overtakeGeneration, readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { repaired } from '../process/telemetry.js';
import { openSale, type StartingState } from '../redis/sale/open-sale.js';
import { setSale } from '../redis/sale/sale.js';
import { type Remains, readRemains } from '../redis/sale/snapshot.js';
import { type Claim, type ClaimRecord, isLive } from '../rules/claim.js';
import { claimOf, isLiveOrder, type Order } from '../rules/order.js';
import type { StepContext } from '../steps/context.js';
import { giveUp } from '../steps/give-up.js';
import { chunks } from '../values/chunks.js';

/**
 * Rebuilds a sale in Redis, from its orders in Postgres and from unplaced claims that Redis still has. The sale's gate
 * is shut first: every script then refuses, and claims get 503. So nothing changes in Redis between the reading and the
 * swap.
 *
 * @returns the number of claims in the rebuilt sale; undefined without such a sale in Postgres, or when another process
 * rebuilt it
 * @throws the stores' errors: the gate stays shut, and reconcile tries again
 */
export async function rebuild(ctx: StepContext, saleId: string): Promise<number | undefined> {
  if (!(await readSale(ctx.db, saleId))) return undefined;
  const gate = `rebuild-${randomUUID()}`;
  const loaded = await setSale(ctx.redis, saleId, { runId: gate });
  await crashPoint('rebuild.shut');
  const remains = await readRemains(ctx.redis, saleId);
  await overtakeGeneration(ctx.db, saleId, remains?.latestGeneration ?? 0);
  // The sale is read after its gate was shut. An earlier reading could miss a restock whose units Redis has already
  // given out.
  const sale = await readSale(ctx.db, saleId);
  if (!sale) return undefined;
  const merged = await mergeForGood(ctx, saleId, remains, sale.units);
  // Withdrawn units, which were refunded and stay out of stock, are read after the orders. A unit withdrawn in between
  // is still in its order, so it stays out of stock either way.
  const state = { ...merged, withdrawn: await readWithdrawnUnits(ctx.db, saleId) };
  await crashPoint('rebuild.read');
  const opened = await crashStep('rebuild.open', () => openSale(ctx.redis, sale, { state, gate: loaded ? gate : '' }));
  await crashPoint('rebuild.opened');
  if (!opened) return undefined;
  const kind = remains ? 'rebuilt' : 'loaded';
  await recordRepairs(ctx.db, saleId, [
    { kind, detail: { claims: state.claims.length, waiting: state.standby.length } },
  ]);
  repaired(kind, 1, saleId);
  ctx.log.warn(
    { saleId, claims: state.claims.length, hadRemains: remains !== undefined },
    'sale rebuilt from Postgres',
  );
  return state.claims.length;
}

/** The most claims that one statement looks up or gives up. */
const VOID_BATCH = 1_000;

/**
 * Merges the orders of Postgres with the claims left in Redis. A claim that cannot be kept first gets a tombstone, a
 * row that keeps it from ever becoming an order. If a worker has placed the claim before, its order counts, and the
 * merge is repeated.
 */
async function mergeForGood(
  ctx: StepContext,
  saleId: string,
  remains: Remains | undefined,
  units: number,
): Promise<StartingState> {
  const decided = new Set<string>();
  for (;;) {
    const orders = await readLatestOrders(ctx.db, saleId);
    const past = await readPast(ctx, remains, orders);
    const { lost, ...state } = merge(orders, withoutClaims(remains, past), units);
    const undecided = lost.filter(({ claimId }) => !decided.has(claimId));
    if (undecided.length === 0) return state;
    for (const claims of chunks(undecided, VOID_BATCH)) await giveUp(ctx, { saleId, claims, why: 'lost' });
    for (const { claimId } of undecided) decided.add(claimId);
  }
}

/**
 * Returns the ids of claims that an old copy of Redis holds as live although they have ended in Postgres. Their buyers
 * have ordered again since.
 */
async function readPast(ctx: StepContext, remains: Remains | undefined, latest: Order[]): Promise<Set<string>> {
  const current = new Set(latest.map(({ claimId }) => claimId));
  const older = [...(remains?.claims.values() ?? [])].flatMap(({ claimId, status }) =>
    isLive(status) && !current.has(claimId) ? [claimId] : [],
  );
  const past = new Set<string>();
  for (const claimIds of chunks(older, VOID_BATCH)) {
    for (const { claimId } of await readOrders(ctx.db, claimIds)) past.add(claimId);
  }
  return past;
}

function withoutClaims(remains: Remains | undefined, past: Set<string>): Remains | undefined {
  return (
    remains && { ...remains, claims: new Map([...remains.claims].filter(([, { claimId }]) => !past.has(claimId))) }
  );
}

/**
 * Builds the new content of a sale. Postgres is right about every claim that has an order. A claim that only Redis
 * knows is kept, or lost if its unit or its buyer has another live claim.
 */
function merge(orders: Order[], remains: Remains | undefined, units: number): StartingState & { lost: Claim[] } {
  const claims = new Map(orders.map(order => [order.buyerId, claimOf(order)]));
  const taken = new Set(orders.filter(order => isLiveOrder(order.status)).map(order => order.unit));
  const outbox: StartingState['outbox'] = [];
  const lost: Claim[] = [];
  for (const [buyerId, record] of remains?.claims ?? []) {
    const claim = { ...record, buyerId };
    const known = claims.get(buyerId);
    if (known?.claimId === claim.claimId) continue;
    if (!isLive(claim.status)) {
      claims.set(buyerId, known ?? claim);
    } else if (isLiveRecord(known) || taken.has(claim.unit) || claim.unit > units) {
      lost.push(claim);
    } else {
      claims.set(buyerId, claim);
      taken.add(claim.unit);
      outbox.push({ buyerId, wonAtMs: remains?.outbox.get(buyerId) ?? remains?.atMs ?? 0 });
    }
  }
  const standby = (remains?.standby ?? []).filter(buyerId => !isLiveRecord(claims.get(buyerId)));
  return { claims: [...claims.values()], outbox, standby, lost };
}

function isLiveRecord(record: ClaimRecord | undefined): boolean {
  return record !== undefined && isLive(record.status);
}

import { audit } from '#core/comparison/audit.js';
import { countOrders } from '#core/postgres/audit.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import type { OrderStatus } from '#core/rules/order.js';
import { claimStatusOf, isLiveOrder } from '#core/rules/order.js';
import type { StepContext } from '#core/steps/context.js';
import { untilNoneLeft } from '../processes/until.js';
import type { BuyerRecord } from './buyer.js';
import { lineFaults } from './line-faults.js';

const LOOK_EVERY_MS = 100;
/** A report lists at most this many violations; one is bad enough. */
const LISTED_MAX = 20;

/** The counts of a sale after a crowd, from Postgres. The answers that the crowd got are only compared with them. */
export interface Reckoning {
  units: number;
  buyers: number;
  /** Buyers with the receipt of an entry from before the opening. */
  joined: number;
  /** Buyers who saw the lots being drawn. */
  drawing: number;
  /** Different accepted claims, in answers to buyers or in Postgres. */
  claimed: number;
  /** Buyers whose final answer was a refusal, or who were on standby in vain. */
  soldOut: number;
  /** Different units that got an order. */
  placed: number;
  /** Paid orders. */
  paid: number;
  /** Cancelled orders. */
  cancelled: number;
  /** Buyers with more than one live order. */
  duplicates: number;
  /** Live orders beyond the units. */
  oversold: number;
  /** Accepted claims without an order. */
  lost: number;
  auditOk: boolean;
}

/** A reckoning, with one line for each violation. */
export interface Verdict {
  reckoning: Reckoning;
  wrong: string[];
}

type OrderRow = { id: string; buyerId: string; unit: number; status: OrderStatus };

/**
 * Waits until a sale is at rest: every claim is placed, every order is decided and every release is carried out.
 *
 * @param limitMs the wait is over after this time, in ms
 * @returns what is still in flight, in words; nothing when the sale is at rest
 */
export function untilAtRest(connections: StepContext, saleId: string, limitMs: number): Promise<string[]> {
  return untilNoneLeft(() => inFlight(connections, saleId), limitMs, LOOK_EVERY_MS);
}

async function inFlight({ db, redis }: StepContext, saleId: string): Promise<string[]> {
  const left: string[] = [];
  const sale = await readLoadedSale(redis, saleId);
  const unpaid = await db.order.count({ where: { saleId, status: 'pending_payment' } });
  const undelivered = await db.outboxEvent.count({ where: { saleId, kind: 'release', deliveredAt: null } });
  if (!sale) left.push('the sale is not in Redis');
  else if (sale.unplaced > 0) left.push(`${sale.unplaced} claims are not placed`);
  if (unpaid > 0) left.push(`${unpaid} orders wait for their payment`);
  if (undelivered > 0) left.push(`${undelivered} releases are not carried out`);
  return left;
}

/**
 * Counts the orders of a sale, audits the sale, and compares the buyers' answers with the orders.
 *
 * @param buyers all who came; their orders must be at rest
 * @returns the counts and the violations
 */
export async function reckon(
  { db, redis }: Pick<StepContext, 'db' | 'redis'>,
  saleId: string,
  buyers: readonly BuyerRecord[],
): Promise<Verdict> {
  const proof = await audit(db, redis, saleId);
  const counts = await countOrders(db, saleId);
  const [row] = await db.$queryRaw<{ duplicates: bigint; oversold: bigint }[]>`
    WITH live AS (SELECT buyer_id FROM orders WHERE sale_id = ${saleId} AND status IN ('pending_payment', 'paid'))
    SELECT (SELECT count(*) FROM (SELECT 1 FROM live GROUP BY buyer_id HAVING count(*) > 1) d) AS duplicates,
           (SELECT greatest(0, (SELECT count(*) FROM live) - units) FROM sales WHERE id = ${saleId}) AS oversold`;
  const orders = await readOrders(db, saleId);
  const told = new Set(buyers.flatMap(({ claims }) => [...claims.keys()]));
  const lost = [...told].filter(claimId => !orders.has(claimId));
  const untrue = [...untrueAnswers(buyers, orders), ...(await lineFaults(db, saleId, buyers))];
  const wrong = [...(proof?.violations ?? ['there is no such sale']), ...untrue];
  const refused = buyers.filter(({ stage }) => ['sold_out', 'closed', 'left_standby'].includes(stage));
  return {
    reckoning: {
      units: proof?.units ?? 0,
      buyers: buyers.length,
      joined: buyers.filter(({ entry }) => entry !== undefined).length,
      drawing: buyers.filter(({ sawDrawing }) => sawDrawing).length,
      claimed: new Set([...told, ...orders.keys()]).size,
      soldOut: refused.length,
      placed: counts.unitsPlaced,
      paid: counts.paid,
      cancelled: counts.cancelled,
      duplicates: Number(row?.duplicates),
      oversold: Number(row?.oversold),
      lost: lost.length,
      auditOk: wrong.length === 0,
    },
    wrong: wrong.slice(0, LISTED_MAX),
  };
}

/** Tells whether a verdict has no violation at all. */
export function holds({ reckoning, wrong }: Verdict): boolean {
  const { duplicates, oversold, lost, auditOk } = reckoning;
  return auditOk && wrong.length === 0 && duplicates + oversold + lost === 0;
}

/**
 * Returns the exit code of a program that sent a crowd: 0 if the verdict holds and every buyer got a final answer.
 *
 * @param verdict undefined if the program reached no stores and could prove nothing
 * @param unanswered the number of buyers without a final answer
 */
export function exitCodeOf(verdict: Verdict | undefined, unanswered: number): 0 | 1 {
  return (verdict === undefined || holds(verdict)) && unanswered === 0 ? 0 : 1;
}

async function readOrders(db: StepContext['db'], saleId: string): Promise<Map<string, OrderRow>> {
  const select = { id: true, buyerId: true, unit: true, status: true } as const;
  const rows = await db.order.findMany({ where: { saleId }, select });
  return new Map(rows.map(row => [row.id, { ...row, status: row.status as OrderStatus }]));
}

/** Finds the answers that turned out untrue. */
function untrueAnswers(buyers: readonly BuyerRecord[], orders: ReadonlyMap<string, OrderRow>): string[] {
  const live = new Set([...orders.values()].filter(({ status }) => isLiveOrder(status)).map(({ buyerId }) => buyerId));
  return buyers.flatMap(buyer => [...untrueClaims(buyer, orders), ...untrueEnding(buyer, orders, live)]);
}

function untrueClaims({ plan, claims }: BuyerRecord, orders: ReadonlyMap<string, OrderRow>): string[] {
  return [...claims].flatMap(([claimId, unit]) => {
    const order = orders.get(claimId);
    if (!order) return [`${plan.buyerId} was told of claim ${claimId}, which has no order`];
    if (order.buyerId === plan.buyerId && order.unit === unit) return [];
    return [
      `${plan.buyerId} was told of unit ${unit}, and ${order.buyerId} has unit ${order.unit} by claim ${claimId}`,
    ];
  });
}

function untrueEnding(
  { plan, stage, claims }: BuyerRecord,
  orders: ReadonlyMap<string, OrderRow>,
  live: ReadonlySet<string>,
): string[] {
  if (stage === 'unanswered') return [`${plan.buyerId} never got a final answer`];
  if (stage === 'sold_out' || stage === 'closed' || stage === 'left_standby') {
    return live.has(plan.buyerId) ? [`${plan.buyerId} was told ${stage}, and has a live order`] : [];
  }
  const order = orders.get([...claims.keys()].at(-1) ?? '');
  if (order && claimStatusOf(order.status) === stage) return [];
  return [`${plan.buyerId} was told ${stage}, and the order is ${order?.status ?? 'not there'}`];
}

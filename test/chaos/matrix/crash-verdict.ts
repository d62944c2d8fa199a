import { audit } from '#core/comparison/audit.js';
import type { NewSale } from '#core/operator/create-sale.js';
import type { CrashMode } from '#core/process/crash-point.js';
import { checkHistory } from '../history/check-history.js';
import type { SaleFacts } from '../history/claim-view.js';
import type { Evidence } from '../history/evidence.js';
import { type History, operationsOf } from '../history/history.js';
import { readDrawFacts } from '../rig/draw-facts.js';
import { readOrderFacts, readPaymentFacts } from '../rig/facts.js';
import { auditRows, auditStores } from '../rig/final-audit.js';
import { untilAllAtRest } from '../rig/rest.js';
import { factsOf } from '../workload/world.js';
import type { CrashRig } from './crash-rig.js';
import { checkShop } from './provider-scenario.js';

/** The wait for rest after the process is whole and the buyers are done, in ms. `npm run chaos:matrix` judges the time. */
const REST_MS = 120_000;

/** Twice the time of invariant 8, because the failed process has to start first. */
const RELEASE_WITHIN_MS = 30_000;

/** The sales of a case, and those of them of which Redis lost data. */
export interface Business {
  sales: NewSale[];
  lossy: NewSale[];
}

/** A case whose buyers are done. */
export interface CaseToJudge {
  rig: Pick<CrashRig, 'query' | 'fake'> & {
    connections: Pick<CrashRig['connections'], 'db' | 'redis'>;
    shop: Pick<CrashRig['shop'], 'received'>;
  };
  history: Pick<History, 'lines'>;
  business: Business;
  mode: CrashMode;
  /** When the process was whole and the buyers were done, in ms since the epoch. */
  quietMs: number;
  /** The broken rules that earlier cases left behind. */
  brokenBefore: Set<string>;
}

/**
 * Waits until a case is at rest, and checks it.
 *
 * @returns the time until everything was at rest, in ms, and the violations
 */
export async function judgeCase(toJudge: CaseToJudge): Promise<{ restMs: number; violations: string[] }> {
  const { rig, history, business, mode, quietMs, brokenBefore } = toJudge;
  const { connections, query } = rig;
  const { redis } = connections;
  const sales = factsOf(business.sales);
  const ids = sales.map(({ id }) => id);
  const readOrders = async () => (await readOrderFacts(query)).filter(({ saleId }) => ids.includes(saleId));
  const readPayments = async () => {
    const own = new Set((await readOrders()).map(({ claimId }) => claimId));
    return (await readPaymentFacts(query, rig.fake)).filter(({ orderId }) => own.has(orderId));
  };
  const limitMs = quietMs + REST_MS - Date.now();
  const inFlight = await untilAllAtRest({ redis, query, sales, limitMs, readPayments });
  const restMs = Date.now() - quietMs;
  const all = {
    operations: operationsOf(history.lines()),
    orders: await readOrders(),
    payments: await readPayments(),
    draws: await readDrawFacts(
      redis,
      query,
      sales.filter(({ hasDraw }) => hasDraw).map(({ id }) => id),
    ),
  };
  const lossy = new Set(business.lossy.map(({ id }) => id));
  const broken = [
    ...checkHistory({
      ...only(
        sales.filter(({ id }) => lossy.has(id)),
        all,
      ),
      redisLostData: true,
    }),
    ...checkHistory({
      ...only(
        sales.filter(({ id }) => !lossy.has(id)),
        all,
      ),
      redisLostData: false,
    }),
  ].filter(({ rule }) => isMeant(rule, mode));
  const violations = [...inFlight.map(what => `rest: ${what}`), ...broken.map(({ rule, text }) => `${rule}: ${text}`)];
  violations.push(...(await auditRows(query)).filter(line => !brokenBefore.has(line)));
  for (const sale of sales) {
    violations.push(...(await auditStores(redis, query, sale)));
    const proof = await audit(connections.db, redis, sale.id);
    violations.push(...(proof?.violations ?? ['no such sale']).map(what => `audit: ${what}`));
  }
  violations.push(...(await checkShop(query, ids, rig.shop.received)));
  // The sales end long ago, so that the maintenance of the next case doesn't see them.
  const list = ids.map(id => `'${id}'`).join(', ');
  await query(
    `UPDATE sales SET joins_at = CASE WHEN joins_at IS NOT NULL THEN timestamptz '1999-12-31' END, opens_at = '2000-01-01',
                      closes_at = '2000-01-02' WHERE id IN (${list})`,
  );
  return { restMs, violations };
}

/** Returns the evidence about some sales. It has no reads of all money, because credits belong to no sale. */
function only(
  sales: SaleFacts[],
  { operations, orders, payments, draws = [] }: Pick<Evidence, 'operations' | 'orders' | 'payments' | 'draws'>,
): Omit<Evidence, 'redisLostData'> {
  const ids = new Set(sales.map(({ id }) => id));
  const own = orders.filter(({ saleId }) => ids.has(saleId));
  const claimIds = new Set(own.map(({ claimId }) => claimId));
  return {
    sales,
    operations: operations.filter(({ saleId }) => ids.has(saleId)),
    orders: own,
    payments: payments.filter(({ orderId }) => claimIds.has(orderId)),
    draws: draws.filter(({ saleId }) => ids.has(saleId)),
    bank: [],
    releaseWithinMs: RELEASE_WITHIN_MS,
  };
}

/** Tells whether a rule counts. Orders made by hand belong to no call, and an API that is made to throw answers 500. */
function isMeant(rule: string, mode: CrashMode): boolean {
  if (rule === 'no_order_without_a_buyer' || rule === 'ended_by_its_buyer') return false;
  return rule !== 'no_surprise' || (mode !== 'throw' && mode !== 'reply-lost');
}

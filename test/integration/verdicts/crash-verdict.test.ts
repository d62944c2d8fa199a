import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { creditWallets } from '#core/postgres/money/wallet.js';
import type { CrashMode } from '#core/process/crash-point.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import type { HistoryLine, Reply, Request } from '../../chaos/history/history.js';
import { type CaseToJudge, judgeCase } from '../../chaos/matrix/crash-verdict.js';
import { auditRows } from '../../chaos/rig/final-audit.js';
import type { Query } from '../../chaos/workload/query.js';
import { askToPay, usePayments } from '../../support/payments.js';
import { aClaim, aSale, openTestSale, winOne } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';

// The verdict about a case of `npm run chaos:matrix` on real stores: each of its checks is shown what it is there to find.

const t = usePayments();
let client: pg.Client;
let query: Query;
/** The broken rules of earlier tests. */
let leftBehind: string[];
let ops = 0;

beforeAll(async () => {
  // One connection for all: a verdict runs more than fifty statements.
  client = new pg.Client(t.databaseUrl);
  await client.connect();
  query = async sql => (await client.query(sql)).rows;
});
afterAll(() => client.end());
beforeEach(async () => {
  leftBehind = await auditRows(query);
});

/** How long the verdict waits for rest, in ms. A case that was quiet that long ago gets one look. */
const REST_MS = 120_000;

/** A call with its reply. */
type Step = [Request['call'], Reply];

/** Writes the calls of a buyer in a sale down, one after the other. */
function linesOf({ id }: Pick<Sale, 'id'>, buyerId: string, steps: Step[]): HistoryLine[] {
  const fromMs = Date.now() - 1_000;
  return steps.flatMap(([call, reply], i): HistoryLine[] => {
    ops += 1;
    return [
      { type: 'invoke', op: ops, atMs: fromMs + 10 * i, call, saleId: id, buyerId },
      { type: 'ok', op: ops, atMs: fromMs + 10 * i + 5, ...reply },
    ];
  });
}

interface Made {
  sale: Sale;
  claim: { claimId: string; unit: number; buyerId: string };
  lines: HistoryLine[];
}

/** A sale with one unit, which a buyer has in an order that is not paid. */
async function orderedSale(): Promise<Made> {
  const sale = await openTestSale(t, { units: 1 });
  const claim = await winOne(t, sale, 'ann');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  const { claimId, unit } = claim;
  const lines = linesOf(sale, 'ann', [
    ['buy', { http: 202, status: 'queued', claimId, unit }],
    ['pay', { http: 202 }],
  ]);
  return { sale, claim, lines };
}

async function pay({ sale, claim: { claimId, buyerId } }: Made): Promise<void> {
  await creditWallets(t.db, [buyerId], { amountMinor: sale.priceMinor, currency: sale.currency });
  await payOrder(t, { saleId: sale.id, claimId, buyerId });
}

async function boughtSale(): Promise<Made> {
  const made = await orderedSale();
  await pay(made);
  return made;
}

/** A sale whose buyer was told of a claim that Redis lost, and of an error. */
async function forgottenSale(): Promise<Omit<Made, 'claim'>> {
  const sale = await openTestSale(t, { units: 1 });
  const { claimId, unit } = aClaim();
  const lines = linesOf(sale, 'ann', [
    ['buy', { http: 202, status: 'queued', claimId, unit }],
    ['order-status', { http: 200, status: 'rejected', reason: 'lost', claimId, unit }],
    ['order-status', { http: 500 }],
  ]);
  return { sale, lines };
}

/** A case, and how it differs from an ordinary one. */
interface Case {
  made: readonly { sale: Sale; lines: HistoryLine[] }[];
  lossy?: Sale[];
  mode?: CrashMode;
  quietMs?: number;
  brokenBefore?: string[];
  query?: Query;
}

function judge({ made, lossy = [], mode = 'kill', quietMs, brokenBefore = leftBehind, ...more }: Case) {
  const toJudge: CaseToJudge = {
    rig: { connections: t, query: more.query ?? query, fake: t.fake, shop: { received: [] } },
    history: { lines: () => made.flatMap(({ lines }) => lines) },
    business: { sales: made.map(({ sale }) => sale), lossy },
    mode,
    quietMs: quietMs ?? Date.now() - REST_MS,
    brokenBefore: new Set(brokenBefore),
  };
  return judgeCase(toJudge);
}

const violationsOf = async (one: Case): Promise<string[]> => (await judge(one)).violations;

/** Returns the checks that found something: the words before the first colon of each violation. */
const checksOf = (violations: string[]): string[] => violations.map(line => line.split(':')[0] ?? '');

describe('a case of the crash matrix without a violation', () => {
  test('ends its sales, so that the next case has them no more', async () => {
    const made = [await boughtSale(), await boughtSale()];
    const { restMs, violations } = await judge({ made, quietMs: Date.now() - 1_000 });
    expect(violations).toEqual([]);
    expect(restMs).toBeGreaterThanOrEqual(1_000);
    expect(restMs).toBeLessThan(REST_MS);
    const over = await query("SELECT id FROM sales WHERE closes_at < '2001-01-01'");
    expect(over.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ sale }) => sale.id)));
  });

  test('may come to rest after a while', async () => {
    const made = await orderedSale();
    const payAfterALook: Query = async sql => {
      const rows = await query(sql);
      if (rows[0]?.orders === '1') await pay(made);
      return rows;
    };
    expect(await violationsOf({ made: [made], quietMs: Date.now(), query: payAfterALook })).toEqual([]);
  });

  test('may have orders made by hand', async () => {
    const made = await orderedSale();
    await cancelOrder(t, { saleId: made.sale.id, ...made.claim });
    expect(await violationsOf({ made: [{ ...made, lines: [] }] })).toEqual([]);
  });

  test('is not about the payments of other sales', async () => {
    const { claim } = await askToPay(t, 'eve');
    await t.fake.pay(claim.claimId);
    const brokenBefore = await auditRows(query);
    expect(await violationsOf({ made: [await boughtSale()], brokenBefore })).toEqual([]);
  });
});

describe('a case of the crash matrix is broken by', () => {
  test('an order that stays unpaid', async () => {
    const violations = await violationsOf({ made: [await orderedSale()] });
    expect(violations).toContain('rest: 1 orders wait for their payment');
    expect(checksOf(violations)).toEqual(['rest', 'accepted_reaches_its_end', 'sql']);
  });

  test('a lost claim, but not in a sale of which Redis lost data', async () => {
    const [lossy, whole] = [await forgottenSale(), await forgottenSale()];
    const violations = await violationsOf({ made: [lossy, whole], lossy: [lossy.sale] });
    const about = (sale: Sale) => checksOf(violations.filter(line => line.includes(sale.id)));
    expect(about(lossy.sale)).toEqual(['no_surprise']);
    expect(about(whole.sale)).toEqual(['accepted_reaches_its_end', 'no_surprise']);
    expect(violations).toHaveLength(3);
  });

  test.each<[string, CrashMode, string[]]>([
    ['an error', 'kill', ['accepted_reaches_its_end', 'no_surprise']],
    ['no error where errors are thrown', 'throw', ['accepted_reaches_its_end']],
    ['no error where replies are lost', 'reply-lost', ['accepted_reaches_its_end']],
  ])('%s', async (_, mode, checks) => {
    expect(checksOf(await violationsOf({ made: [await forgottenSale()], mode }))).toEqual(checks);
  });

  test('a payment that only the provider has, once', async () => {
    const { sale, claim } = await askToPay(t, 'bob');
    await t.fake.pay(claim.claimId);
    const { claimId, unit } = claim;
    const lines = linesOf(sale, 'bob', [['buy', { http: 202, status: 'queued', claimId, unit }]]);
    const lossy = await boughtSale();
    const violations = await violationsOf({ made: [{ sale, lines }, lossy], lossy: [lossy.sale] });
    expect(violations).toContain('rest: 1 payments differ from those of their provider');
    expect(checksOf(violations).filter(check => check === 'books_agree')).toHaveLength(1);
  });

  test('a balance that no transfer explains, unless an earlier case has broken it', async () => {
    const made = [await boughtSale()];
    await query("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE owner = 'ann'");
    const brokenBefore = await auditRows(query);
    const [now, before] = [await violationsOf({ made }), await violationsOf({ made, brokenBefore })];
    await query("UPDATE accounts SET balance_minor = balance_minor - 1 WHERE owner = 'ann'");
    expect([...new Set(checksOf(now))]).toEqual(['sql', 'audit']);
    expect([...new Set(checksOf(before))]).toEqual(['audit']);
  });

  test('a claim that is missing in Redis', async () => {
    const made = await boughtSale();
    await loseClaim(t, made.sale.id, made.claim);
    expect([...new Set(checksOf(await violationsOf({ made: [made] })))]).toEqual(['rest', 'stores', 'audit']);
  });

  test('a sale that is not in Postgres', async () => {
    expect(await violationsOf({ made: [{ sale: aSale({ units: 0 }), lines: [] }] })).toEqual(['audit: no such sale']);
  });
});

import { expect, test } from '@jest/globals';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import {
  beginRefund,
  endRefundsByHand,
  maySend,
  readRefundsDue,
  recordRefused,
  recordReturned,
} from '#core/postgres/money/due-refunds.js';
import { refundLateMoney } from '#core/postgres/money/late-money.js';
import { applyAnswer } from '#core/postgres/money/payment-report.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import type { PaymentReport } from '#core/rules/payment.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { paidReport, paymentOf, paymentRowOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();
const WHOLE = { amountMinor: PRICE, fromMinor: 0 };

/** Refunds a paid order, or a part of its money. The provider does not know of it yet. */
async function owed(buyerId: string, partMinor?: number): Promise<string> {
  const { claim } = await payAtProvider(t, buyerId);
  const { claimId: orderId } = claim;
  if (partMinor === undefined) await refundOrder(t, { orderId, restock: true });
  else await refundOrderPartially(t, { orderId, amountMinor: partMinor, refundedMinor: 0 });
  return orderId;
}

const change = (orderId: string, data: NonNullable<Parameters<typeof t.db.payment.updateMany>[0]>['data']) =>
  t.db.payment.updateMany({ where: { orderId }, data });
const begin = async (orderId: string) => beginRefund(t.db, await paymentOf(t, orderId));
const nobody = async (orderId: string) => ({ ...(await paymentOf(t, orderId)), id: -1n });

/** Builds the report of a provider that has taken the price, and returned some of it. */
const told = async (orderId: string, more: Partial<PaymentReport> = {}): Promise<PaymentReport> => ({
  ...(await paidReport(t, orderId)),
  ...more,
});

async function stateOf(orderId: string) {
  const row = await paymentRowOf(t, orderId);
  const numbers = [row.refundingMinor, row.refundingFromMinor].map(value => (value === null ? null : Number(value)));
  return {
    status: row.status,
    returned: Number(row.returnedMinor),
    compensated: Number(row.compensatedMinor),
    refunding: numbers,
    tries: row.refundTries,
    isPlanned: row.refundAt !== null,
  };
}

async function clockMs(): Promise<number> {
  const [row] = await t.db.$queryRaw<
    { ms: number }[]
  >`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms`;
  return row?.ms ?? Number.NaN;
}

test('the refunds that are due are read, the longest due first', async () => {
  const orders = [await owed('second'), await owed('first', PART), await owed('later'), await owed('made')];
  const [second = '', first = '', later = '', made = ''] = orders;
  await change(second, { refundAt: new Date(2_000) });
  await change(first, { refundAt: new Date(1_000) });
  await change(later, { refundAt: new Date(Date.now() + 3_600_000) });
  await change(made, { refundAt: new Date(1_500), status: 'refunded' });
  const due = (await readRefundsDue(t.db, 100)).map(({ orderId }) => orderId);
  expect(due.slice(0, 2)).toEqual([first, second]);
  expect([due.includes(later), due.includes(made)]).toEqual([false, false]);
  expect((await readRefundsDue(t.db, 1)).map(({ orderId }) => orderId)).toEqual([first]);
});

test('a refund that begins is written down, and a second begin repeats it after a question', async () => {
  const [orderId, other] = [await owed('begun'), await owed('begun-other')];
  expect(await begin(orderId)).toEqual({ ...WHOLE, asksFirst: false });
  const begun = { status: 'refund_due', returned: 0, compensated: 0, refunding: [PRICE, 0], isPlanned: true };
  expect(await stateOf(orderId)).toEqual({ ...begun, tries: 1 });
  expect(await begin(orderId)).toEqual({ ...WHOLE, asksFirst: true });
  expect(await stateOf(orderId)).toEqual({ ...begun, tries: 2 });
  expect(await stateOf(other)).toMatchObject({ refunding: [null, null], tries: 0 });
});

test.each([
  { tries: 0, pauseMs: 1_000 },
  { tries: 3, pauseMs: 8_000 },
  { tries: 9, pauseMs: 512_000 },
  { tries: 10, pauseMs: 600_000 },
  { tries: 5_000, pauseMs: 600_000 },
])('after $tries tries the next one follows after $pauseMs ms', async ({ tries, pauseMs }) => {
  const orderId = await owed(`pause-${tries}`);
  await change(orderId, { refundTries: tries });
  const before = await clockMs();
  await begin(orderId);
  const after = await clockMs();
  const at = (await paymentRowOf(t, orderId)).refundAt?.getTime() ?? 0;
  expect(at - pauseMs).toBeGreaterThanOrEqual(before - 1);
  expect(at - pauseMs).toBeLessThanOrEqual(after + 1);
});

test('nothing is sent while a dispute is open, and the refund without an answer is kept', async () => {
  const orderId = await owed('disputed', PART);
  await begin(orderId);
  const { id: paymentId, provider } = await paymentOf(t, orderId);
  const dispute = { paymentId, provider, providerDisputeId: 'dp_1', amountMinor: 100, currency: 'EUR' };
  await t.db.dispute.create({ data: { ...dispute, status: 'open' } });
  expect(await begin(orderId)).toBeUndefined();
  expect(await stateOf(orderId)).toMatchObject({ refunding: [PART, 0], tries: 2, isPlanned: true });
});

test('nothing is sent when nothing is owed, and then nothing is planned', async () => {
  const { claim } = await payAtProvider(t, 'owed-nothing');
  expect(await begin(claim.claimId)).toBeUndefined();
  expect(await stateOf(claim.claimId)).toMatchObject({ status: 'paid', refunding: [null, null], isPlanned: false });
  const orderId = await owed('went-back');
  await change(orderId, { returnedMinor: PRICE });
  expect(await begin(orderId)).toBeUndefined();
  expect(await stateOf(orderId)).toMatchObject({ status: 'refunded', refunding: [null, null], isPlanned: false });
});

test('a refund that the provider has not made is sent', async () => {
  const orderId = await owed('unmade');
  await begin(orderId);
  const before = await stateOf(orderId);
  const report = await told(orderId);
  expect(await maySend(t.db, await paymentOf(t, orderId), { refund: WHOLE, report })).toBe(true);
  expect(await stateOf(orderId)).toEqual(before);
});

test('a refund that the provider has made is not sent again', async () => {
  const orderId = await owed('made-before');
  await begin(orderId);
  const report = await told(orderId, { state: 'refunded' });
  expect(await maySend(t.db, await paymentOf(t, orderId), { refund: WHOLE, report })).toBe(false);
  const ended = { status: 'refunded', returned: PRICE, compensated: 0, refunding: [null, null], isPlanned: false };
  expect(await stateOf(orderId)).toEqual({ ...ended, tries: 0 });
});

test('after a part went back otherwise, the rest is tried at once', async () => {
  const orderId = await owed('part-elsewhere');
  await begin(orderId);
  await change(orderId, { refundAt: new Date(Date.now() + 3_600_000), refundTries: 7 });
  const report = await told(orderId, { refundedMinor: PART });
  expect(await maySend(t.db, await paymentOf(t, orderId), { refund: WHOLE, report })).toBe(false);
  const after = { status: 'refund_due', returned: PART, compensated: 0, refunding: [null, null], isPlanned: true };
  expect(await stateOf(orderId)).toEqual({ ...after, tries: 0 });
  expect((await readRefundsDue(t.db, 100)).map(payment => payment.orderId)).toContain(orderId);
});

test('the answer about another refund than the one in flight sends and ends nothing', async () => {
  const orderId = await owed('other');
  await change(orderId, { returnedMinor: 1 });
  await begin(orderId);
  await change(orderId, { refundAt: new Date(Date.now() + 3_600_000), refundTries: 7 });
  const before = await stateOf(orderId);
  expect(before).toMatchObject({ returned: 1, refunding: [PRICE - 1, 1] });
  const report = await told(orderId, { refundedMinor: 1 });
  for (const refund of [
    { amountMinor: 1, fromMinor: 1 },
    { amountMinor: PRICE - 1, fromMinor: 0 },
  ]) {
    expect(await maySend(t.db, await paymentOf(t, orderId), { refund, report })).toBe(false);
  }
  expect(await stateOf(orderId)).toEqual(before);
  expect((await readRefundsDue(t.db, 100)).map(payment => payment.orderId)).not.toContain(orderId);
});

test('a refund that was made ends, and a part leaves the order paid', async () => {
  const orderId = await owed('returned', PART);
  await begin(orderId);
  await change(orderId, { refundTries: 7 });
  await recordReturned(t.db, await paymentOf(t, orderId), { amountMinor: PART, fromMinor: 0 });
  const after = { status: 'paid', returned: PART, compensated: 0, refunding: [null, null], isPlanned: false };
  expect(await stateOf(orderId)).toEqual({ ...after, tries: 0 });
});

test('money that the provider refuses to return goes into the wallet once, in numbered parts', async () => {
  const orderId = await owed('refused', PART);
  await creditWallets(t.db, ['refused'], { amountMinor: 7, currency: 'EUR' });
  await begin(orderId);
  const payment = await paymentOf(t, orderId);
  const refused = { refund: { amountMinor: PART, fromMinor: 0 }, report: await told(orderId) };
  expect(await recordRefused(t.db, payment, refused)).toBe(true);
  expect(await recordRefused(t.db, payment, refused)).toBe(false);
  expect(await readBalance(t.db, 'refused', 'EUR')).toBe(7 + PART);
  const after = { status: 'paid', returned: 0, compensated: PART, refunding: [null, null], isPlanned: false };
  expect(await stateOf(orderId)).toEqual({ ...after, tries: 0 });
  await refundOrder(t, { orderId, restock: true });
  await begin(orderId);
  const rest = { refund: { amountMinor: PRICE - PART, fromMinor: 0 }, report: await told(orderId) };
  expect(await recordRefused(t.db, payment, rest)).toBe(true);
  expect(await readBalance(t.db, 'refused', 'EUR')).toBe(7 + PRICE);
  expect(await stateOf(orderId)).toMatchObject({ status: 'refunded', compensated: PRICE });
  const moved = await t.db.transfer.findMany({
    where: { orderId, kind: 'refund_to_wallet' },
    orderBy: { id: 'asc' },
    include: { debitAccount: true, creditAccount: true },
  });
  expect(moved.map(({ part, amountMinor, currency }) => [part, Number(amountMinor), currency])).toEqual([
    [0, PART, 'EUR'],
    [1, PRICE - PART, 'EUR'],
  ]);
  for (const { debitAccount, creditAccount } of moved) {
    expect(debitAccount).toMatchObject({ kind: 'external', owner: 'signed-webhook', currency: 'EUR' });
    expect(creditAccount).toMatchObject({ kind: 'buyer', owner: 'refused', currency: 'EUR' });
  }
});

test('a buyer without a wallet gets one, and none of what the provider has returned', async () => {
  const orderId = await owed('walletless');
  await begin(orderId);
  const payment = await paymentOf(t, orderId);
  const news = { refund: WHOLE, report: await told(orderId, { refundedMinor: PART }) };
  expect(await recordRefused(t.db, payment, news)).toBe(false);
  expect(await readBalance(t.db, 'walletless', 'EUR')).toBe(0);
  const rest = { amountMinor: PRICE - PART, fromMinor: PART };
  expect(await begin(orderId)).toEqual({ ...rest, asksFirst: false });
  expect(await recordRefused(t.db, payment, { ...news, refund: rest })).toBe(true);
  expect(await readBalance(t.db, 'walletless', 'EUR')).toBe(PRICE - PART);
  expect(await stateOf(orderId)).toMatchObject({ status: 'refunded', returned: PART, compensated: PRICE - PART });
});

test('a payment that is gone has nothing to send or to record', async () => {
  const orderId = await owed('gone');
  const gone = await nobody(orderId);
  const answer = { refund: WHOLE, report: await told(orderId) };
  expect(await beginRefund(t.db, gone)).toBeUndefined();
  expect(await maySend(t.db, gone, answer)).toBe(false);
  expect(await recordRefused(t.db, gone, answer)).toBe(false);
  await recordReturned(t.db, gone, WHOLE);
  expect(await stateOf(orderId)).toMatchObject({ status: 'refund_due', returned: 0, compensated: 0, tries: 0 });
});

test('a refund that an operator ends by hand owes nothing more, and a repair says so', async () => {
  const orderId = await owed('by-hand', PART);
  await begin(orderId);
  const { saleId, paymentId } = await paymentOf(t, orderId);
  expect(await endRefundsByHand(t.db, orderId, 'in cash')).toEqual([{ amountMinor: PART, currency: 'EUR' }]);
  expect(await endRefundsByHand(t.db, orderId, 'in cash')).toEqual([]);
  const after = { status: 'paid', returned: 0, compensated: PART, refunding: [null, null], isPlanned: false };
  expect(await stateOf(orderId)).toEqual({ ...after, tries: 0 });
  const repairs = await t.db.$queryRaw`SELECT sale_id, kind, detail FROM repairs WHERE claim_id = ${orderId}::uuid`;
  const detail = { note: 'in cash', amountMinor: PART, currency: 'EUR', paymentId };
  expect(repairs).toEqual([{ sale_id: saleId, kind: 'refund_by_hand', detail }]);
  expect((await transfersOf(t, orderId)).map(([kind]) => kind)).toEqual(['capture', 'refund']);
});

test('by hand ends the refunds of one order alone, whichever payment paid for it', async () => {
  const [orderId, other] = [await owed('hand-one', PART), await owed('hand-other', PART)];
  const { claim: unowed } = await payAtProvider(t, 'hand-unowed');
  await begin(other);
  // The money of the first payment pays for the order of another claim, whose own money came late.
  const { sale, claim } = await askToPay(t, 'hand-moved');
  const { claimId: moved } = claim;
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await applyAnswer(t.db, 'signed-webhook', await told(moved));
  await refundLateMoney(t.db, await paymentOf(t, moved));
  await change(orderId, { paidOrderId: moved });
  // An attempt is planned, and meanwhile nothing is owed any more.
  await change(unowed.claimId, { refundAt: new Date() });
  expect(await endRefundsByHand(t.db, unowed.claimId, 'x')).toEqual([]);
  expect(await endRefundsByHand(t.db, moved, 'x')).toEqual([
    { amountMinor: PART, currency: 'EUR' },
    { amountMinor: PRICE, currency: 'EUR' },
  ]);
  expect(await stateOf(other)).toMatchObject({ compensated: 0, refunding: [PART, 0], tries: 1 });
  expect([await stateOf(orderId), await stateOf(moved)]).toMatchObject([{ compensated: PART }, { compensated: PRICE }]);
});

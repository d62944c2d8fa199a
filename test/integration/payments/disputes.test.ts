import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { tellShop } from '#core/maintenance/tell-shop.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { wantNotices } from '#core/postgres/deliveries/shop-webhook.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { applyEvent } from '#core/postgres/money/payment-report.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import type { Claim } from '#core/rules/claim.js';
import { MINUTE_MS } from '#core/rules/clock.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { SHOP_SECRET, startShop, type TestShop } from '../../support/http/shop.js';
import { orderOf, paymentAtProvider, paymentRowOf, transfersOf } from '../../support/money/reading.js';
import {
  applyEvents,
  askToPay,
  PART,
  type PaymentStores,
  PRICE,
  payAtProvider,
  usePayments,
} from '../../support/payments.js';

// Disputes (chargebacks): the buyer's bank withholds the money, and keeps it or returns it.

const t = usePayments();
let shop: TestShop;
/** The same stores, with the shop. */
let telling: StepContext & PaymentStores;

beforeAll(async () => {
  shop = await startShop();
  await wantNotices(t.db);
  telling = { ...t, shop: { url: shop.url, secret: SHOP_SECRET } };
});
beforeEach(() => {
  shop.received.length = 0;
});
afterAll(() => {
  shop.server.close();
});

const CREATED = { type: 'charge.dispute.created' };
const CLOSED = { type: 'charge.dispute.closed' };

const disputeOf = ({ claimId }: Claim) => t.db.dispute.findFirst({ where: { payment: { orderId: claimId } } });
const outcomesOf = async (claim: Claim) => {
  const events = await t.db.paymentEvent.findMany({
    where: { payment: { orderId: claim.claimId } },
    orderBy: { id: 'asc' },
  });
  return events.map(({ outcome }) => outcome);
};
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
const makeDue = ({ claimId }: Claim) =>
  t.db.payment.updateMany({ where: { orderId: claimId, refundAt: { not: null } }, data: { refundAt: new Date(0) } });

test('a dispute withholds the money of a paid order, and a won one returns it', async () => {
  const { sale, claim } = await payAtProvider(t, 'won');
  await t.fake.dispute(claim.claimId);
  await applyEvents(telling, claim, { ...CREATED, times: 3 });
  expect(await disputeOf(claim)).toMatchObject({ status: 'open', amountMinor: BigInt(PRICE), endedAt: null });
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', unit: claim.unit });
  expect(await transfersOf(t, claim.claimId)).toEqual([
    ['capture', PRICE],
    ['dispute', PRICE],
  ]);
  expect((await readOddPayments(t.db, 100)).map(({ orderId }) => orderId)).toContain(claim.claimId);
  await expectProof(sale);
  await t.fake.closeDisputes(claim.claimId, 'won');
  await applyEvents(telling, claim, CLOSED);
  expect(await disputeOf(claim)).toMatchObject({ status: 'won', endedAt: expect.any(Date) });
  expect((await transfersOf(t, claim.claimId)).at(-1)).toEqual(['dispute_reversal', PRICE]);
  expect((await readOddPayments(t.db, 100)).map(({ orderId }) => orderId)).not.toContain(claim.claimId);
  expect(await outcomesOf(claim)).toEqual(['paid', 'disputed', 'dispute_closed']);
  await expectProof(sale);
  await tellShop(telling);
  const dispute = (status: string) => ({ status, amountMinor: PRICE, currency: 'EUR' });
  expect(shop.received.filter(({ type }) => type.startsWith('payment.'))).toMatchObject([
    { type: 'payment.disputed', data: { orderId: claim.claimId, status: 'paid', dispute: dispute('open') } },
    { type: 'payment.dispute_closed', data: { orderId: claim.claimId, dispute: dispute('won') } },
  ]);
});

test('a dispute that is heard of before the payment makes the provider be asked at once', async () => {
  const { sale, claim } = await askToPay(t, 'heard-first');
  await t.fake.pay(claim.claimId);
  await t.fake.dispute(claim.claimId);
  const askAt = new Date(Date.now() + MINUTE_MS);
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { askAt } });
  await applyEvents(t, claim, CREATED);
  expect(await transfersOf(t, claim.claimId)).toEqual([]);
  await askProviders(t);
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  expect(await transfersOf(t, claim.claimId)).toEqual([
    ['capture', PRICE],
    ['dispute', PRICE],
  ]);
  await expectProof(sale);
});

test('a dispute whose end comes before its beginning stays ended', async () => {
  const { sale, claim } = await payAtProvider(t, 'reordered');
  await t.fake.dispute(claim.claimId);
  await t.fake.closeDisputes(claim.claimId, 'lost');
  await applyEvents(t, claim, CLOSED);
  await applyEvents(t, claim, CREATED);
  expect(await disputeOf(claim)).toMatchObject({ status: 'lost' });
  expect(await transfersOf(t, claim.claimId)).toEqual([
    ['capture', PRICE],
    ['dispute', PRICE],
  ]);
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  await expectProof(sale);
});

test('a refund waits while a dispute is open, and a lost one is the refund', async () => {
  const { sale, claim } = await payAtProvider(t, 'waits');
  await t.fake.dispute(claim.claimId);
  await applyEvents(t, claim, CREATED);
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await finishPayments(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refund_due' });
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: 0 });
  await expectProof(sale);
  await t.fake.closeDisputes(claim.claimId, 'lost');
  await applyEvents(t, claim, CLOSED);
  await makeDue(claim);
  await finishPayments(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded', refundAt: null });
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: 0 });
  expect(await readBalance(t.db, 'waits', 'EUR')).toBe(0);
  await expectProof(sale);
});

test('a refund continues when the shop has won the dispute', async () => {
  const { sale, claim } = await payAtProvider(t, 'goes-on');
  await refundOrderPartially(t, { orderId: claim.claimId, amountMinor: PART, refundedMinor: 0 });
  await t.fake.dispute(claim.claimId);
  // The provider refuses, and its message about the dispute is on its way.
  await finishPayments(t);
  expect(await readBalance(t.db, 'goes-on', 'EUR')).toBe(0);
  await applyEvents(t, claim, CREATED);
  await expectProof(sale);
  await t.fake.closeDisputes(claim.claimId, 'won');
  await applyEvents(t, claim, CLOSED);
  await finishPayments(t);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: PART });
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PART) });
  await expectProof(sale);
});

test('the console shows a dispute in another currency apart, as no sum of two currencies is true', async () => {
  const { claim } = await payAtProvider(t, 'two-currencies');
  await t.fake.dispute(claim.claimId);
  await applyEvents(t, claim, CREATED);
  const { providerPaymentId } = await paymentRowOf(t, claim.claimId);
  const foreign = { paymentId: providerPaymentId ?? '', state: 'open', amountMinor: 70_000, currency: 'JPY' } as const;
  const event = { eventId: 'evt_yen', type: CREATED.type, dispute: { ...foreign, disputeId: 'dp_yen' } };
  expect((await applyEvent(t.db, 'signed-webhook', event)).outcome).toBe('mismatch');
  const odd = (await readOddPayments(t.db, 100)).filter(({ orderId }) => orderId === claim.claimId);
  const ours = await disputeOf(claim);
  expect(odd).toMatchObject([
    {
      withheldMinor: PRICE,
      takenCurrency: 'EUR',
      disputes: [
        { disputeId: ours?.providerDisputeId, amountMinor: PRICE, currency: 'EUR' },
        { disputeId: 'dp_yen', amountMinor: 70_000, currency: 'JPY' },
      ],
    },
  ]);
});

test('a refund that an older version began is shown whole', async () => {
  const { claim } = await payAtProvider(t, 'older-version');
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { refundMinor: 0, refundTries: 3 } });
  const odd = (await readOddPayments(t.db, 100)).filter(({ orderId }) => orderId === claim.claimId);
  expect(odd).toMatchObject([{ status: 'refund_due', refundMinor: PRICE, returnedMinor: 0 }]);
});

test('after a lost dispute nothing is left to give back, and no operator hears otherwise', async () => {
  const { sale, claim } = await payAtProvider(t, 'nothing-left');
  await t.fake.dispute(claim.claimId);
  await t.fake.closeDisputes(claim.claimId, 'lost');
  await applyEvents(t, claim, CLOSED);
  const part = { orderId: claim.claimId, amountMinor: PART, refundedMinor: 0 };
  expect(await refundOrderPartially(t, part)).toMatchObject({ kind: 'too_much', restMinor: 0 });
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: 0n });
  await expectProof(sale);
});

test('a part that is given back after a lost dispute comes on top of what the bank gave back', async () => {
  const { sale, claim } = await payAtProvider(t, 'on-top');
  await t.fake.dispute(claim.claimId, PART);
  await t.fake.closeDisputes(claim.claimId, 'lost');
  await applyEvents(t, claim, CLOSED);
  const part = { orderId: claim.claimId, amountMinor: 50, refundedMinor: 0 };
  expect(await refundOrderPartially(t, { ...part, amountMinor: PRICE - PART })).toMatchObject({
    kind: 'too_much',
    restMinor: PRICE - PART,
  });
  expect(await refundOrderPartially(t, part)).toMatchObject({ kind: 'refunded', refundedMinor: PART + 50 });
  expect(await refundOrderPartially(t, part)).toMatchObject({ kind: 'changed_meanwhile', refundedMinor: PART + 50 });
  await finishPayments(t);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: 50, returned: 1 });
  expect(await orderOf(t, claim.claimId)).toMatchObject({ refundedMinor: BigInt(PART + 50) });
  await expectProof(sale);
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await finishPayments(t);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: PRICE - PART, returned: 2 });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded', refundAt: null });
  await expectProof(sale);
});

test('a dispute that an older version ignored is booked when its event comes again', async () => {
  const { sale, claim } = await payAtProvider(t, 'ignored');
  await t.fake.dispute(claim.claimId);
  const { body = '' } = (await t.fake.events()).findLast(({ orderId }) => orderId === claim.claimId) ?? {};
  // So an API of the version before hands the event on, and so a worker of that version reads it.
  const { id: eventId, type } = JSON.parse(body);
  await takePaymentEvent(t, { provider: 'signed-webhook', event: { eventId, type } });
  await applyEvents(t, claim, { ...CREATED, times: 3 });
  expect(await disputeOf(claim)).toMatchObject({ status: 'open', amountMinor: BigInt(PRICE) });
  expect(await outcomesOf(claim)).toEqual(['paid', 'disputed']);
  expect(await transfersOf(t, claim.claimId)).toEqual([
    ['capture', PRICE],
    ['dispute', PRICE],
  ]);
  // An older process changes nothing that was read.
  await takePaymentEvent(t, { provider: 'signed-webhook', event: { eventId, type } });
  expect(await outcomesOf(claim)).toEqual(['paid', 'disputed']);
  await expectProof(sale);
});

test('a dispute that names our order and a payment of somebody else is a mismatch', async () => {
  const { sale, claim } = await payAtProvider(t, 'foreign-payment');
  const dispute = { disputeId: 'dp_foreign', paymentId: 'pi_of_somebody_else', orderId: claim.claimId } as const;
  const event = { eventId: 'evt_foreign_dispute', type: 'charge.dispute.created' };
  await takePaymentEvent(t, {
    provider: 'signed-webhook',
    event: { ...event, dispute: { ...dispute, state: 'open', amountMinor: PRICE, currency: 'EUR' } },
  });
  expect(await outcomesOf(claim)).toEqual(['paid', 'mismatch']);
  expect(await disputeOf(claim)).toBeNull();
  await refundOrderPartially(t, { orderId: claim.claimId, amountMinor: PART, refundedMinor: 0 });
  await finishPayments(t);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: PART });
  await expectProof(sale);
});

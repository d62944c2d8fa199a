import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { changeSale } from '#core/operator/change-sale.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import type { Answer } from '#stack/crowd/storefront.js';
import { eventually } from '../support/eventually.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// The path of one buyer through API, queue, worker and both stores, with the calls of the page.

const PRICE_MINOR = 4_900;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
});
afterAll(() => stack?.stop());

function becomes(buyerId: string, saleId: string, status: string): Promise<Answer> {
  return eventually(async () => {
    const answer = await stack.status(buyerId, saleId);
    expect(answer.status).toBe(status);
    return answer;
  });
}

async function expectAudit(saleId: string): Promise<void> {
  await eventually(async () => expect((await stack.audit(saleId)).violations).toEqual([]));
}

test('a click becomes a claim, an order and a paid unit', async () => {
  const saleId = await stack.createSale({ units: 3, priceMinor: PRICE_MINOR });
  await stack.credit('ada', PRICE_MINOR + 100);
  const claim = await stack.buy('ada', saleId);
  expect(claim).toMatchObject({ http: 202, status: 'queued', unit: 1, receipt: expect.any(String) });

  const order = await becomes('ada', saleId, 'pending_payment');
  expect(order).toMatchObject({ claimId: claim.claimId, unit: 1 });
  expect(await stack.pay('ada', saleId)).toMatchObject({ http: 202 });
  await becomes('ada', saleId, 'paid');
  expect(await readBalance(stack.connections.db, 'ada', 'EUR')).toBe(100);
  expect((await stack.audit(saleId)).orders).toMatchObject({ orders: 1, paid: 1 });
  await expectAudit(saleId);
});

test('a second click at another API returns the same claim', async () => {
  const saleId = await stack.createSale({ units: 3 });
  const first = await stack.buy('ben', saleId);
  const headers = { authorization: `Bearer ${stack.token('ben')}` };
  const again = await fetch(`${stack.baseUrls[1]}/buy/${saleId}`, { method: 'POST', headers });
  expect(again.status).toBe(200);
  expect(await again.json()).toMatchObject({ claimId: first.claimId, unit: first.unit });
});

test('a payment without funds reports the reason, and the order stays payable', async () => {
  const saleId = await stack.createSale({ units: 1, priceMinor: PRICE_MINOR });
  await stack.credit('poor', PRICE_MINOR - 1);
  await stack.buy('poor', saleId);
  await becomes('poor', saleId, 'pending_payment');
  await stack.pay('poor', saleId);
  await eventually(async () => expect((await stack.status('poor', saleId)).reason).toBe('insufficient_funds'));
  await stack.credit('poor', 1);
  await stack.pay('poor', saleId);
  await becomes('poor', saleId, 'paid');
  await expectAudit(saleId);
});

test('a cancelled unit can be bought again, also by the same buyer', async () => {
  const saleId = await stack.createSale({ units: 1, standbyFactor: 0 });
  await stack.buy('cid', saleId);
  await becomes('cid', saleId, 'pending_payment');
  expect(await stack.buy('dora', saleId)).toMatchObject({ http: 409, code: 'sold_out' });
  expect(await stack.cancel('cid', saleId)).toMatchObject({ http: 202 });
  await becomes('cid', saleId, 'cancelled');
  expect(await stack.buy('cid', saleId)).toMatchObject({ http: 202, status: 'queued', unit: 1 });
  await becomes('cid', saleId, 'pending_payment');
  await expectAudit(saleId);
});

test('an order that is not paid in time is cancelled, and its buyer may buy again', async () => {
  const saleId = await stack.createSale({ units: 1, standbyFactor: 0, payWithinSeconds: 1, priceMinor: PRICE_MINOR });
  await stack.credit('eve', PRICE_MINOR);
  const first = await stack.buy('eve', saleId);
  expect(await becomes('eve', saleId, 'cancelled')).toMatchObject({ claimId: first.claimId, reason: 'unpaid' });
  expect(await stack.pay('eve', saleId)).toMatchObject({ http: 409, code: 'not_payable' });

  // The second order has the time to be paid on any machine.
  await stack.connections.db.sale.update({ where: { id: saleId }, data: { payWithinSeconds: 3_600 } });
  const second = await stack.buy('eve', saleId);
  expect(second).toMatchObject({ http: 202, unit: 1 });
  expect(second.claimId).not.toBe(first.claimId);
  await becomes('eve', saleId, 'pending_payment');
  await stack.pay('eve', saleId);
  await becomes('eve', saleId, 'paid');
  await expectAudit(saleId);
});

test('a unit that comes back goes to the first on standby', async () => {
  const saleId = await stack.createSale({ units: 1, standbyFactor: 2 });
  await stack.buy('fay', saleId);
  expect(await stack.buy('gus', saleId)).toMatchObject({ http: 202, status: 'standby' });
  expect(await stack.buy('hal', saleId)).toMatchObject({ http: 202, status: 'standby' });
  expect(await stack.buy('ida', saleId)).toMatchObject({ http: 409, code: 'sold_out' });
  await becomes('fay', saleId, 'pending_payment');
  await stack.cancel('fay', saleId);
  expect(await becomes('gus', saleId, 'pending_payment')).toMatchObject({ unit: 1 });
  expect(await stack.status('hal', saleId)).toMatchObject({ status: 'standby' });
  await expectAudit(saleId);
});

test('with immediate settlement the wallet decides while the order is placed', async () => {
  const saleId = await stack.createSale({
    units: 1,
    standbyFactor: 0,
    settlement: 'immediate',
    priceMinor: PRICE_MINOR,
  });
  await stack.buy('jan', saleId);
  expect(await becomes('jan', saleId, 'rejected')).toMatchObject({ reason: 'insufficient_funds' });
  await stack.credit('kim', PRICE_MINOR);
  await stack.buy('kim', saleId);
  await becomes('kim', saleId, 'paid');
  await expectAudit(saleId);
});

test('a sale that closes with unplaced claims places all of them and admits no other buyer', async () => {
  const saleId = await stack.createSale({ units: 5, standbyFactor: 0, priceMinor: PRICE_MINOR });
  await stack.credit('lea', PRICE_MINOR);
  await stack.worker.kill9();
  const claims = await Promise.all(['lea', 'max', 'nia'].map(buyerId => stack.buy(buyerId, saleId)));
  expect(claims.map(({ http }) => http)).toEqual([202, 202, 202]);
  // The jobs are lost as well, so only the outbox knows the claims.
  await stack.connections.queues.of('')['place-waiting'].obliterate({ force: true });
  await changeSale(stack.connections, saleId, { state: 'closed' });
  expect(await stack.buy('ole', saleId)).toMatchObject({ http: 410, code: 'sale_closed' });
  expect(await stack.audit(saleId)).toMatchObject({ unplaced: 3 });

  await stack.worker.restart();
  for (const [i, buyerId] of ['lea', 'max', 'nia'].entries()) {
    expect(await becomes(buyerId, saleId, 'pending_payment')).toMatchObject({ claimId: claims[i]?.claimId });
  }
  await stack.pay('lea', saleId);
  await stack.cancel('max', saleId);
  await becomes('lea', saleId, 'paid');
  await becomes('max', saleId, 'cancelled');
  expect(await stack.buy('ole', saleId)).toMatchObject({ http: 410, code: 'sale_closed' });
  expect(await stack.audit(saleId)).toMatchObject({ unplaced: 0, free: 3 });
  await expectAudit(saleId);
});

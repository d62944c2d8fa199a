import { expect, test } from '@jest/globals';
import { brokenRules } from '#core/postgres/audit.js';
import type { Database } from '#core/postgres/database.js';
import { MONEY_RULES } from '#core/postgres/money-rules.js';
import { applyEvents, askToPay, PRICE, usePayments } from '../../support/payments.js';

// One row of damage for each rule of the audit about payments. The damage is done to an order that was paid at a provider,
// of which a part went back.

const t = usePayments();

const PART = 200;

type Damage = (db: Database, orderId: string) => Promise<unknown>;

const DAMAGE: [rule: string, damage: Damage][] = [
  [
    'a paid order has not exactly one capture of its price',
    (db, id) =>
      db.$executeRaw`UPDATE transfers SET amount_minor = amount_minor + 1 WHERE order_id = ${id}::uuid AND kind = 'capture'`,
  ],
  [
    'a paid order does not say what went back of it',
    (db, id) =>
      db.$executeRaw`UPDATE orders SET refunded_minor = refunded_minor + 1, version = version + 1 WHERE id = ${id}::uuid`,
  ],
  [
    'an order gives back more than it took',
    (db, id) =>
      db.$executeRaw`UPDATE transfers SET amount_minor = ${PRICE + 1} WHERE order_id = ${id}::uuid AND kind = 'refund'`,
  ],
  [
    'an order that is not paid keeps money',
    (db, id) =>
      db.$executeRaw`UPDATE orders SET status = 'refunded', reason = 'refunded_by_shop', version = version + 1 WHERE id = ${id}::uuid`,
  ],
  [
    'a payment is taken, and no order was paid with it',
    (db, id) => db.$executeRaw`UPDATE transfers SET kind = 'dispute' WHERE order_id = ${id}::uuid AND kind = 'capture'`,
  ],
  [
    'a paid order has no payment that is kept',
    (db, id) => db.$executeRaw`UPDATE payments SET status = 'refunded' WHERE order_id = ${id}::uuid`,
  ],
  [
    'a payment is kept, and its order is not paid',
    (db, id) =>
      db.$executeRaw`UPDATE orders SET status = 'refunded', reason = 'refunded_by_shop', version = version + 1 WHERE id = ${id}::uuid`,
  ],
  [
    'a payment and its order differ in what went back',
    (db, id) => db.$executeRaw`UPDATE payments SET refund_minor = refund_minor + 1 WHERE order_id = ${id}::uuid`,
  ],
  [
    'more of a payment goes back than was taken',
    (db, id) => db.$executeRaw`UPDATE payments SET returned_minor = ${PRICE + 1} WHERE order_id = ${id}::uuid`,
  ],
  [
    'a refund is owed, and no attempt is planned',
    (db, id) => db.$executeRaw`UPDATE payments SET returned_minor = returned_minor - 1 WHERE order_id = ${id}::uuid`,
  ],
  [
    'a refund is planned, and none is owed',
    (db, id) => db.$executeRaw`UPDATE payments SET refund_at = clock_timestamp() WHERE order_id = ${id}::uuid`,
  ],
  [
    'what disputes withhold is not what is booked',
    (db, id) => db.$executeRaw`
      INSERT INTO disputes (payment_id, provider, provider_dispute_id, status, amount_minor, currency)
      SELECT id, provider, 'dp_' || id, 'open', 1, currency FROM payments WHERE order_id = ${id}::uuid`,
  ],
  [
    'late money is 60 s undecided',
    (db, id) => db.$executeRaw`
      UPDATE payments SET status = 'late', updated_at = clock_timestamp() - interval '61 seconds' WHERE order_id = ${id}::uuid`,
  ],
];

let buyers = 0;

async function paidInPart() {
  buyers += 1;
  const { sale, claim } = await askToPay(t, `audited-${buyers}`);
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await t.fake.refund(claim.claimId, PART);
  await applyEvents(t, claim, { type: 'charge.refunded' });
  return { sale, claim };
}

test('an order of which a part went back breaks no rule', async () => {
  const { sale } = await paidInPart();
  expect(await brokenRules(t.db, sale.id)).toEqual([]);
});

test.each(DAMAGE)('the audit finds that %s', async (rule, damage) => {
  const { sale, claim } = await paidInPart();
  await damage(t.db, claim.claimId);
  const broken = await brokenRules(t.db, sale.id);
  expect(broken).toContainEqual({ rule: `I5 ${rule}`, rows: 1 });
});

test('every rule about payments has its damage here, and every other one in the test of the audit', () => {
  const elsewhere = [
    'a balance is not the sum of its transfers',
    'a balance is negative',
    'a transfer is between accounts of other currencies',
    'a capture comes from another buyer than the order',
  ];
  const rules = [...new Set([...DAMAGE.map(([rule]) => rule), ...elsewhere])].map(rule => `I5 ${rule}`);
  expect(rules.sort()).toEqual(Object.keys(MONEY_RULES).sort());
});

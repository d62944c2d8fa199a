import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { newClaimId } from '#core/identity/claim-id.js';
import { claim } from '#core/redis/claims/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { buyers, openTestSale } from '../../support/sales.js';
import { passDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const [UNITS, ROUNDS] = [20, 10];
const BOTS = buyers(140, 'bot');
const PEOPLE = buyers(40, 'person');

/** All click at the same time, the bots a little before the people. In each round, everybody who pays does so at once. */
async function round(sale: Sale): Promise<void> {
  const click = (buyerId: string) => claim(t.redis, sale.id, [{ buyerId, claimId: newClaimId() }]);
  await Promise.all([...BOTS, ...PEOPLE].map(click));
  await placeWaiting(t, { saleId: sale.id });
  const orders = await t.db.order.findMany({ where: { saleId: sale.id, status: 'pending_payment' } });
  const paying = orders.filter(({ buyerId }) => PEOPLE.includes(buyerId));
  await Promise.all(paying.map(({ id, buyerId }) => payOrder(t, { saleId: sale.id, claimId: id, buyerId })));
  await passDeadlines(t, sale.id);
  await expireOrders(t, { claimIds: orders.map(({ id }) => id) });
}

/** Returns the units that people have after some rounds, and the most orders of one bot. */
async function soldTo(wanted: Partial<Sale>): Promise<{ people: number; mostOfABot: number }> {
  const sale = await openTestSale(t, { units: UNITS, priceMinor: 0, ...wanted });
  for (let i = 0; i < ROUNDS; i += 1) await round(sale);
  const orders = await t.db.order.findMany({ where: { saleId: sale.id } });
  const ofBots = BOTS.map(bot => orders.filter(({ buyerId }) => buyerId === bot).length);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  return { people: orders.filter(({ status }) => status === 'paid').length, mostOfABot: Math.max(...ofBots) };
}

const [WITHOUT_LINE, WITH_LINE] = [{ standbyFactor: 0 }, { standbyFactor: 5 }];

test.each<[string, Partial<Sale>]>([
  ['without a line', WITHOUT_LINE],
  ['with a line', WITH_LINE],
])(
  '140 accounts that never pay keep people from no unit for longer than 10 rounds, %s',
  async (_line, wanted) => {
    const { people, mostOfABot } = await soldTo({ ...wanted, unpaidLimit: 2 });
    expect(people).toBeGreaterThanOrEqual(18);
    expect(mostOfABot).toBeLessThanOrEqual(2);
  },
  60_000,
);

test.each<[string, Partial<Sale>]>([
  ['without a line', WITHOUT_LINE],
  ['with a line', WITH_LINE],
])(
  'without a limit, they keep people from nearly all, %s',
  async (_line, wanted) => {
    expect((await soldTo({ ...wanted, unpaidLimit: 0 })).people).toBeLessThan(10);
  },
  60_000,
);

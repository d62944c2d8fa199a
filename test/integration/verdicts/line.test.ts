import { expect, test } from '@jest/globals';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import type { Sale } from '#core/rules/sale.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import type { BuyerRecord, Stage } from '#stack/crowd/buyer.js';
import { reckon } from '#stack/crowd/reckoning.js';
import { createDraw, join, letOpen, readLine } from '../../support/draws/lines.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// The proof of a crowd that joined a line before the opening: each untrue answer is made, and has to be found.

const t = useStores();

const NAMES = Array.from({ length: 12 }, (_, i) => `buyer-${i + 1}`);

/** Sells two units by lots, and returns the truth about each buyer. */
async function drawn(): Promise<{ sale: Sale; buyers: BuyerRecord[] }> {
  const sale = await createDraw(t, { units: 2 });
  const outcomes = await join(t, sale, ...NAMES);
  await letOpen(t, sale);
  await drawAllLots(t);
  await placeWaiting(t, { saleId: sale.id });
  const orders = await t.db.order.findMany({ where: { saleId: sale.id } });
  const buyers = NAMES.map((buyerId, i): BuyerRecord => {
    const order = orders.find(order => order.buyerId === buyerId);
    const outcome = outcomes[i];
    if (outcome?.kind !== 'joined' || outcome.entry === undefined) throw new Error(`${buyerId} did not join`);
    return {
      plan: { buyerId, clicks: 1, withUnit: 'leave' },
      stage: order ? 'pending_payment' : 'closed',
      claims: new Map(order ? [[order.id, order.unit]] : []),
      entry: outcome.entry,
    };
  });
  return { sale, buyers };
}

const firstWith = (stage: Stage, buyers: BuyerRecord[]): BuyerRecord => {
  const found = buyers.find(buyer => buyer.stage === stage);
  if (!found) throw new Error(`nobody is ${stage}`);
  return found;
};

test('a draw in which everybody was told the truth holds, and counts who joined', async () => {
  const { sale, buyers } = await drawn();
  firstWith('closed', buyers).sawDrawing = true;
  const { wrong, reckoning } = await reckon(t, sale.id, buyers);
  expect(wrong).toEqual([]);
  expect(reckoning).toMatchObject({ joined: 12, drawing: 1, placed: 2, auditOk: true });
});

test('a receipt of an entry that Postgres lacks is found', async () => {
  const { sale, buyers } = await drawn();
  const loser = firstWith('closed', buyers);
  const { entry } = loser;
  loser.entry = 99;
  const stranger = { ...loser, plan: { ...loser.plan, buyerId: 'stranger' }, entry: 98 };
  expect((await reckon(t, sale.id, [...buyers, stranger])).wrong).toEqual([
    `${loser.plan.buyerId} has a receipt of entry 99, and Postgres has ${entry}`,
    'stranger has a receipt of entry 98, and Postgres has none',
  ]);
});

test('a buyer with an entry who was told that it is sold out is found', async () => {
  const { sale, buyers } = await drawn();
  const loser = firstWith('closed', buyers);
  loser.stage = 'sold_out';
  expect((await reckon(t, sale.id, buyers)).wrong).toEqual([
    `${loser.plan.buyerId} joined as entry ${loser.entry}, and was told sold_out`,
  ]);
});

test('a unit that passed buyers with an earlier lot is found', async () => {
  const { sale, buyers } = await drawn();
  const last = (await readLine(t, sale)).at(-1);
  const { claims } = firstWith('pending_payment', buyers);
  const told = buyers.map(buyer => (buyer.plan.buyerId === last ? { ...buyer, claims } : buyer));
  const passed = (await reckon(t, sale.id, told)).wrong.filter(line => line.includes('waited in vain'));
  expect(passed).toHaveLength(9);
  for (const line of passed) expect(line).toMatch(new RegExp(`in vain, and ${last} with a later lot got a unit$`));
});

test('receipts of entries in a sale with a rush are found', async () => {
  const { buyers } = await drawn();
  const rush = await openTestSale(t, { units: 1 });
  expect((await reckon(t, rush.id, buyers)).wrong).toContain(
    '12 buyers have receipts of entries, and the sale has no line',
  );
});

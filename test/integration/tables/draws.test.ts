import { expect, test } from '@jest/globals';
import { Prisma } from '#core/postgres/database.js';
import { newDraw } from '#core/postgres/draws/draws.js';
import { storeEntries } from '#core/postgres/draws/entries.js';
import { insertSale } from '#core/postgres/sales.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const HOUR_MS = 3_600_000;

/** Stores a sale with a draw, in Postgres alone. */
async function storeDraw(): Promise<string> {
  const nowMs = Date.now();
  const times = { joinsAtMs: nowMs - HOUR_MS, opensAtMs: nowMs - 1, closesAtMs: nowMs + HOUR_MS };
  const sale = ordinarySale({ opening: 'draw', units: 1, ...times });
  const draw = newDraw({ valueSource: 'the lottery of Friday' });
  expect(await insertSale(t.db, sale, draw)).toBe(true);
  return sale.id;
}

const change = (saleId: string, columns: string) =>
  t.db.$executeRaw(Prisma.sql`UPDATE draws SET ${Prisma.raw(columns)} WHERE sale_id = ${saleId}`);
const TIME = "'2030-01-01'";
const BYTES = (byte: string) => `decode(repeat('${byte}', 32), 'hex')`;

test('a sale is stored with its draw, and one that opens with a rush has none', async () => {
  const saleId = await storeDraw();
  const row = await t.db.draw.findUniqueOrThrow({ where: { saleId } });
  expect(row).toMatchObject({ saleId, valueSource: 'the lottery of Friday', closedAt: null, value: null });
  expect(Buffer.from(row.seed)).toHaveLength(32);
  const another = ordinarySale({ units: 1 });
  await insertSale(t.db, another);
  expect(await t.db.draw.findUnique({ where: { saleId: another.id } })).toBeNull();
});

/** The steps of a draw, one after the other, and the changes that are refused from each of them on. */
const STEPS: [step: string, columns: string, refused: string[]][] = [
  [
    'is created',
    "value_source = 'the lottery of Friday'",
    [
      `seed = ${BYTES('aa')}`,
      `salt_key = ${BYTES('aa')}`,
      "value_source = 'another lottery'",
      "value_substitute = 'another lottery'",
      'beacon_round = 7',
    ],
  ],
  ['is closed', `closed_at = ${TIME}`, ["closed_at = '2031-01-01'", 'closed_at = NULL']],
  [
    'has a list',
    `entries = 3, root = ${BYTES('bb')}`,
    ['entries = 4', `root = ${BYTES('cc')}`, 'entries = NULL, root = NULL'],
  ],
  [
    'is decided',
    `value = '1 2 3', is_substitute = false, decided_at = ${TIME}`,
    [
      "value = '4 5 6'",
      'is_substitute = true',
      "decided_at = '2031-01-01'",
      'value = NULL, is_substitute = NULL, decided_at = NULL',
    ],
  ],
];

test('the facts of a draw never change once they are written', async () => {
  const saleId = await storeDraw();
  const all: string[] = [];
  for (const [step, columns, refused] of STEPS) {
    expect([step, await change(saleId, columns)]).toEqual([step, 1]);
    all.push(...refused);
    for (const one of all) {
      const failure: unknown = await change(saleId, one).catch((error: unknown) => error);
      expect([step, one, String(failure)]).toEqual([step, one, expect.stringContaining('never changes')]);
    }
  }
  expect(await change(saleId, 'dealt_at = clock_timestamp()')).toBe(1);
});

test('an entry of the list stays in it when its buyer leaves after the close', async () => {
  const saleId = await storeDraw();
  const ann = { number: 1, buyerId: 'ann', change: 1, isWaiting: true };
  await storeEntries(t.db, saleId, [ann]);
  await change(saleId, `closed_at = ${TIME}`);
  await storeEntries(t.db, saleId, [{ ...ann, change: 2, isWaiting: false }]);
  expect(await t.db.entry.findMany({ where: { saleId } })).toMatchObject([
    { buyerId: 'ann', isIn: true, isWaiting: false },
  ]);
});

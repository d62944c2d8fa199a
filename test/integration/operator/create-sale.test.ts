import { expect, test } from '@jest/globals';
import { createSale } from '#core/operator/create-sale.js';
import { readDraw } from '#core/postgres/draws/draws.js';
import { readSale } from '#core/postgres/sales.js';
import { readAbout } from '#core/redis/draw/publication.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { createDraw } from '../../support/draws/lines.js';
import { aSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('a new sale with a rush is in both stores, and has no draw', async () => {
  const sale = aSale({ units: 3 });
  expect(await createSale(t, sale)).toBe(true);
  expect(await readSale(t.db, sale.id)).toMatchObject({ state: 'open', generation: 1 });
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ remaining: 3, line: undefined });
  expect(await readDraw(t.db, sale.id)).toBeUndefined();
});

test('a new sale with lots has a line, and has published its commitment', async () => {
  const sale = await createDraw(t, { units: 3 });
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ remaining: 3, line: 'joining' });
  expect(await readDraw(t.db, sale.id)).toMatchObject({ list: undefined, decided: undefined });
  expect(JSON.parse((await readAbout(t.redis, sale.id)) ?? '')).toMatchObject({
    commitment: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('a sale that exists is not created again', async () => {
  const sale = await createDraw(t, { units: 3 });
  expect(await createSale(t, { ...sale, units: 4 })).toBe(false);
  expect(await readSale(t.db, sale.id)).toMatchObject({ units: 3 });
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ units: 3 });
});

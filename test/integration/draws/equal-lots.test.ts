import { expect, test } from '@jest/globals';
import { standbyFaults } from '#core/comparison/standby.js';
import { keysOf } from '#core/redis/keys.js';
import { standbyPages } from '#core/redis/sale/content.js';
import type { Sale } from '#core/rules/sale.js';
import { createDraw } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Makes a line of 4,500 buyers in which each two have one lot, except the first. So a page of 2,000 ends between two of them. */
async function lineOfPairs({ id }: Sale): Promise<string[]> {
  const buyers = Array.from({ length: 4_500 }, (_, i) => `b${String(i).padStart(4, '0')}`);
  const { sale, standby } = keysOf(id);
  await t.redis.zadd(standby, ...buyers.flatMap((buyer, i) => [1_000 + Math.floor((i + 1) / 2), buyer]));
  await t.redis.hset(sale, 'draw', 'ordered', 'standbyCap', buyers.length + 5);
  return buyers;
}

test('two buyers with one lot at the end of a page are both read, once', async () => {
  const sale = await createDraw(t, { units: 1 });
  const buyers = await lineOfPairs(sale);
  const read: string[] = [];
  for await (const page of standbyPages(t.redis, sale.id)) read.push(...page.map(({ buyerId }) => buyerId));
  expect(read).toEqual(buyers);
});

test('equal lots are no fault of a line, and equal tickets behind them are', async () => {
  const sale = await createDraw(t, { units: 1, standbyFactor: 5 });
  await lineOfPairs(sale);
  expect(await standbyFaults(t.redis, sale.id)).toEqual([]);
  const late = 2 ** 52 + 7;
  await t.redis.hset(keysOf(sale.id).sale, 'standbySeq', late);
  await t.redis.zadd(keysOf(sale.id).standby, late, 'late-1', late, 'late-2');
  expect(await standbyFaults(t.redis, sale.id)).toEqual(['line: no certain place in line: late-2']);
});

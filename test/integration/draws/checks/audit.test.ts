import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import type { ValueSources } from '#core/postgres/draws/draws.js';
import { storeEntries } from '#core/postgres/draws/entries.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { readUnstored, restoreEntry } from '#core/redis/draw/entries.js';
import { drawKeyOf, keysOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { createDraw, join, letOpen, readLine } from '../../../support/draws/lines.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

const NAMES = Array.from({ length: 30 }, (_, i) => `buyer-${i + 1}`);

/** A sale of 2 units whose order was made for 30 buyers, one of whom has left since. */
async function drawn(sources: ValueSources = {}): Promise<Sale> {
  const sale = await createDraw(t, { units: 2 }, sources);
  await join(t, sale, ...NAMES);
  await letOpen(t, sale);
  await drawAllLots(t);
  await placeWaiting(t, { saleId: sale.id });
  return sale;
}

const violations = async ({ id }: Sale) => (await audit(t.db, t.redis, id))?.violations;

test('a drawn sale has no violation, nor when a buyer has left and it is not stored yet', async () => {
  const sale = await drawn();
  expect(await violations(sale)).toEqual([]);
  const [first = ''] = await readLine(t, sale);
  await leaveStandby(t.redis, sale.id, first);
  expect(await violations(sale)).toEqual([]);
  await keepEntries(t, sale.id);
  expect(await violations(sale)).toEqual([]);
});

test('a line that nobody has ordered yet has no violation', async () => {
  const sale = await createDraw(t, { units: 2 });
  await join(t, sale, ...NAMES);
  expect(await violations(sale)).toEqual([]);
  await keepEntries(t, sale.id);
  await leaveStandby(t.redis, sale.id, 'buyer-3');
  expect(await violations(sale)).toEqual([]);
});

test.each<[string, (saleId: string) => Promise<unknown>]>([
  [
    'another number',
    id => t.db.$executeRaw`UPDATE entries SET number = 99 WHERE sale_id = ${id} AND buyer_id = 'buyer-7'`,
  ],
  ['an entry less', id => t.db.$executeRaw`DELETE FROM entries WHERE sale_id = ${id} AND buyer_id = 'buyer-7'`],
  [
    'an entry that was taken out of the list',
    id => t.db.$executeRaw`UPDATE entries SET is_in = false WHERE sale_id = ${id} AND buyer_id = 'buyer-7'`,
  ],
])('the audit finds %s than those of the root', async (_, change) => {
  const sale = await drawn();
  await change(sale.id);
  const found = await violations(sale);
  expect(found).toContainEqual(
    expect.stringMatching(/^draw: the root of the entries is [0-9a-f]{64}, and not [0-9a-f]{64}$/),
  );
  expect(found).toContain('draw: chunk 0: where entry 7 is published, Postgres has another one (8)');
});

test('the audit finds an entry more than those of the root', async () => {
  const sale = await drawn();
  await t.db.$executeRaw`INSERT INTO entries VALUES (${sale.id}, 31, 'eve', 99, true, false)`;
  expect(await violations(sale)).toEqual([
    'draw: chunk 0: entry 31 is not published',
    'draw: there are 31 entries, and not 30',
    expect.stringMatching(/^draw: the root of the entries/),
  ]);
});

test('the audit finds a published list that was changed in Redis', async () => {
  const sale = await drawn();
  const chunk = (await t.redis.hgetBuffer(drawKeyOf(sale.id), '0')) ?? Buffer.alloc(0);
  await t.redis.hset(drawKeyOf(sale.id), '0', Buffer.concat([chunk, chunk.subarray(0, 40)]));
  expect(await violations(sale)).toEqual(['draw: chunk 0: entry 1 is published, and Postgres lacks it']);
});

test('the audit finds a commitment that is not that of the seed', async () => {
  const sale = await drawn();
  const about = JSON.parse((await t.redis.hget(drawKeyOf(sale.id), 'about')) ?? '{}') as object;
  const commitment = 'ab'.repeat(32);
  await t.redis.hset(drawKeyOf(sale.id), 'about', JSON.stringify({ ...about, commitment }));
  expect(await violations(sale)).toEqual([
    expect.stringMatching(/^draw: the published commitment is (ab){32}, and Postgres has [0-9a-f]{64}$/),
  ]);
});

test('the audit finds buyers who do not stand at their lot', async () => {
  const sale = await drawn();
  const [first = '', second = ''] = await readLine(t, sale);
  const { standby } = keysOf(sale.id);
  const lot = await t.redis.zscore(standby, first);
  await t.redis.zadd(standby, Number(lot) - 1, second);
  expect(await violations(sale)).toEqual([`draw: not at their lot in the line: ${second}`]);
});

test('the audit finds a buyer who joined, and whom the line has lost', async () => {
  const sale = await drawn();
  const [first = ''] = await readLine(t, sale);
  await t.redis.zrem(keysOf(sale.id).standby, first);
  expect(await violations(sale)).toEqual([`draw: joined, and neither in the line nor with a claim: ${first}`]);
});

test('the audit finds an entry that Postgres alone knows', async () => {
  const sale = await drawn();
  await storeEntries(t.db, sale.id, [{ buyerId: 'ghost', number: 77, change: 99, isWaiting: true }]);
  expect(await violations(sale)).toEqual([
    'draw: the published lateEntries is 0, and Postgres has 1',
    'draw: joined, and neither in the line nor with a claim: ghost',
  ]);
});

test('the audit waits for a late entry that is being stored', async () => {
  const sale = await drawn();
  await restoreEntry(t.redis, sale.id, { buyerId: 'lost', number: 77 });
  await storeEntries(t.db, sale.id, await readUnstored(t.redis, sale.id, 10));
  expect(await violations(sale)).toEqual([]);
  await keepEntries(t, sale.id);
  expect(await violations(sale)).toEqual([]);
});

test('the audit finds a line without an order after the units were offered, and an order without a decision', async () => {
  const dealt = await drawn();
  await t.redis.hset(keysOf(dealt.id).sale, 'draw', 'joining');
  expect(await violations(dealt)).toContain('draw: the units were offered, and the line has no order');
  const waiting = await drawn({ valueSource: 'the lottery of Friday' });
  await t.redis.hset(keysOf(waiting.id).sale, 'draw', 'ordered', 'entered', NAMES.length);
  expect(await violations(waiting)).toContain('draw: the line has an order, and the draw is not decided');
});

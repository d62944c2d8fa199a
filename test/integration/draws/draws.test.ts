import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { drawAllLots, drawLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { decideDraw, readDraw } from '#core/postgres/draws/draws.js';
import { storeEntries } from '#core/postgres/draws/entries.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { readStatuses } from '#core/redis/claims/status.js';
import { readUnstored, restoreEntry } from '#core/redis/draw/entries.js';
import { readAbout, readChunk } from '#core/redis/draw/publication.js';
import { keysOf } from '#core/redis/keys.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { createDraw, fairOrderOf, join, letOpen, readLine, readWinners } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const names = (count: number) => Array.from({ length: count }, (_, i) => `buyer-${i + 1}`);

test('a buyer who joins before the opening gets a number, and the same one again', async () => {
  const sale = await createDraw(t, { units: 1 });
  expect(await join(t, sale, 'ann', 'ben', 'ann')).toEqual([
    { kind: 'joined', entry: 1, isBeforeOpening: true },
    { kind: 'joined', entry: 2, isBeforeOpening: true },
    { kind: 'joined', entry: 1, isBeforeOpening: true },
  ]);
  expect(await join(t, sale, 'ben')).toEqual([{ kind: 'joined', entry: 2, isBeforeOpening: true }]);
  expect(await readStatuses(t.redis, sale.id, ['ben', 'eve'])).toEqual([{ isJoined: true, entry: 2 }, {}]);
});

test('nobody joins before the time of joining, nor after the end', async () => {
  const sale = await createDraw(t, { units: 1, joinsAtMs: Date.now() + 60_000 });
  expect(await join(t, sale, 'ann')).toEqual([{ kind: 'refused', refusal: 'not_joining', opensAtMs: sale.joinsAtMs }]);
  const over = await createDraw(t, { units: 1 });
  await t.redis.hset(keysOf(over.id).sale, 'state', 'closed');
  expect(await join(t, over, 'ann')).toMatchObject([{ kind: 'refused', refusal: 'closed' }]);
});

test('the units go to the first buyers of the order that lots make, and the others keep it', async () => {
  const sale = await createDraw(t, { units: 3 });
  await join(t, sale, ...names(40));
  await letOpen(t, sale);
  await drawAllLots(t);
  const order = await fairOrderOf(t, sale, names(40));
  expect(await readWinners(t, sale)).toEqual(order.slice(0, 3).sort());
  expect(await readLine(t, sale)).toEqual(order.slice(3));
  await placeWaiting(t, { saleId: sale.id });
  expect(await audit(t.db, t.redis, sale.id)).toMatchObject({ ok: true, orders: { live: 3 } });
});

test('buyers who come after the opening stand behind everybody who joined before it', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(5));
  await letOpen(t, sale);
  expect(await join(t, sale, 'late-1', 'buyer-1')).toEqual([
    { kind: 'joined', entry: undefined, isBeforeOpening: false },
    { kind: 'joined', entry: 1, isBeforeOpening: false },
  ]);
  await drawAllLots(t);
  expect(await join(t, sale, 'late-2')).toEqual([{ kind: 'standby', position: 6 }]);
  const order = await fairOrderOf(t, sale, names(5));
  expect(await readLine(t, sale)).toEqual([...order.slice(1), 'late-1', 'late-2']);
});

test('leaving and joining again gives the same number and the same lot', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(9));
  await leaveStandby(t.redis, sale.id, 'buyer-4');
  await leaveStandby(t.redis, sale.id, 'buyer-5');
  expect(await join(t, sale, 'buyer-4')).toEqual([{ kind: 'joined', entry: 4, isBeforeOpening: true }]);
  await letOpen(t, sale);
  await drawAllLots(t);
  const order = await fairOrderOf(
    t,
    sale,
    names(9).filter(name => name !== 'buyer-5'),
  );
  expect([...(await readWinners(t, sale)), ...(await readLine(t, sale))]).toEqual(order);
  expect((await readDraw(t.db, sale.id))?.list?.entries).toBe(8);
});

test('a lost Redis loses no entry that Postgres has, before and after the order was made', async () => {
  const sale = await createDraw(t, { units: 2 });
  await join(t, sale, ...names(30));
  await keepEntries(t, sale.id);
  await leaveStandby(t.redis, sale.id, 'buyer-7');
  await keepEntries(t, sale.id);
  await t.redis.flushall();
  await rebuild(t, sale.id);
  expect(await readStatuses(t.redis, sale.id, ['buyer-3', 'buyer-7'])).toEqual([{ isJoined: true, entry: 3 }, {}]);
  await letOpen(t, sale);
  await drawAllLots(t);
  const before = [await readWinners(t, sale), await readLine(t, sale)];
  await placeWaiting(t, { saleId: sale.id });
  await t.redis.flushall();
  await rebuild(t, sale.id);
  expect([await readWinners(t, sale), await readLine(t, sale)]).toEqual(before);
});

test('a receipt brings back an entry that nobody else has', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, 'ann');
  await t.redis.flushall();
  await rebuild(t, sale.id);
  expect(await readStatuses(t.redis, sale.id, ['ann'])).toEqual([{}]);
  expect(await restoreEntry(t.redis, sale.id, { buyerId: 'ann', number: 1 })).toBe(true);
  expect(await restoreEntry(t.redis, sale.id, { buyerId: 'ann', number: 1 })).toBe(false);
  expect(await readStatuses(t.redis, sale.id, ['ann'])).toEqual([{ isJoined: true, entry: 1 }]);
});

test('an entry that comes back after the order was made gets its lot, and everybody may read that there is one', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(50));
  await keepEntries(t, sale.id);
  await letOpen(t, sale);
  await drawAllLots(t);
  const published = async () => JSON.parse((await readAbout(t.redis, sale.id)) ?? '');
  expect(await published()).toMatchObject({ entries: 50, lateEntries: 0 });
  expect(await restoreEntry(t.redis, sale.id, { buyerId: 'lost', number: 51 })).toBe(true);
  await keepEntries(t, sale.id);
  expect(await published()).toMatchObject({ entries: 50, lateEntries: 1 });
  const order = await fairOrderOf(t, sale, [...names(50), 'lost']);
  const [winner] = await readWinners(t, sale);
  expect(await readLine(t, sale)).toEqual(order.filter(buyer => buyer !== winner));
  expect((await readDraw(t.db, sale.id))?.list?.entries).toBe(50);
});

test('an entry is not stored as one of the list once the draw is closed', async () => {
  const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
  await join(t, sale, ...names(3));
  await letOpen(t, sale);
  await drawLots(t, sale.id);
  const closed = await readDraw(t.db, sale.id);
  expect(closed).toMatchObject({ list: { entries: 3 }, decided: undefined });
  await drawLots(t, sale.id);
  expect(await readDraw(t.db, sale.id)).toEqual(closed);
  expect((await readLoadedSale(t.redis, sale.id))?.line).toBe('joining');
});

test('the first public value decides, and never another one', async () => {
  const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
  await join(t, sale, ...names(20));
  expect(await decideDraw(t.db, sale.id, { value: '1 2 3', isSubstitute: false })).toBe(false);
  await letOpen(t, sale);
  await drawLots(t, sale.id);
  expect(await readWinners(t, sale)).toEqual([]);
  expect(await decideDraw(t.db, sale.id, { value: '4 8 15', isSubstitute: false })).toBe(true);
  expect(await decideDraw(t.db, sale.id, { value: '16 23 42', isSubstitute: false })).toBe(false);
  await drawLots(t, sale.id);
  const order = await fairOrderOf(t, sale, names(20));
  expect([...(await readWinners(t, sale)), ...(await readLine(t, sale))]).toEqual(order);
  await expect(t.db.draw.update({ where: { saleId: sale.id }, data: { value: '16 23 42' } })).rejects.toThrow(
    'a draw that was decided never changes',
  );
});

test('the published facts prove every entry, and hide the seed until the order is decided', async () => {
  const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
  const about = async () => JSON.parse((await readAbout(t.redis, sale.id)) ?? '{}') as Record<string, unknown>;
  expect(await about()).toEqual({
    saleId: sale.id,
    commitment: expect.stringMatching(/^[0-9a-f]{64}$/),
    valueSource: 'the lottery of Friday',
  });
  await join(t, sale, ...names(3));
  await letOpen(t, sale);
  await drawLots(t, sale.id);
  expect(await about()).toMatchObject({ entries: 3, root: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await about()).not.toHaveProperty('seed');
  expect((await readChunk(t.redis, sale.id, 0))?.length).toBe(3 * 40);
  await decideDraw(t.db, sale.id, { value: '4 8 15', isSubstitute: false });
  await drawLots(t, sale.id);
  const { seed, commitment, value } = await about();
  expect(value).toBe('4 8 15');
  expect(
    createHash('sha256')
      .update(Buffer.from(String(seed), 'hex'))
      .digest('hex'),
  ).toBe(commitment);
});

test('entries that Postgres has lost again are stored before the list is closed', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(5));
  await keepEntries(t, sale.id);
  await t.db.entry.deleteMany({ where: { saleId: sale.id, buyerId: { in: ['buyer-2', 'buyer-5'] } } });
  await letOpen(t, sale);
  await drawAllLots(t);
  expect((await readDraw(t.db, sale.id))?.list?.entries).toBe(5);
});

test('a rebuild keeps entries that Postgres has lost again', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(5));
  await keepEntries(t, sale.id);
  await t.db.entry.deleteMany({ where: { saleId: sale.id, buyerId: { in: ['buyer-2', 'buyer-5'] } } });
  await rebuild(t, sale.id);
  expect(await readLine(t, sale)).toEqual(names(5));
});

test('a worker that stood still overwrites no later change of an entry', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, 'ann');
  const stale = await readUnstored(t.redis, sale.id, 10);
  await leaveStandby(t.redis, sale.id, 'ann');
  await keepEntries(t, sale.id);
  await storeEntries(t.db, sale.id, stale);
  expect(await t.db.entry.findMany({ where: { saleId: sale.id } })).toMatchObject([{ isIn: false, isWaiting: false }]);
});

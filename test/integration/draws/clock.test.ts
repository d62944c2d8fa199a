import { expect, test } from '@jest/globals';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { decideDraw, readDraw } from '#core/postgres/draws/draws.js';
import { keysOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { createDraw, fairOrderOf, join, letOpen, readLine, readWinners } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

// The clock of Redis says when a sale opens, and the one of Postgres which sales have opened. The two may differ by seconds, and a
// failover may set the clock of Redis back.

const t = useStores();

const OFF_MS = 5_000;
const names = (count: number) => Array.from({ length: count }, (_, i) => `buyer-${i + 1}`);

/** Moves the opening of a sale for one of the clocks: it is as far from the clock as from another clock that is off. */
const opensFor = {
  redis: (sale: Sale, inMs: number) => t.redis.hset(keysOf(sale.id).sale, 'opensAtMs', Date.now() + inMs),
  postgres: ({ id }: Sale, inMs: number) =>
    t.db.sale.update({ where: { id }, data: { opensAt: new Date(Date.now() + inMs) } }),
};

async function expectOrdered(sale: Sale, entrants: string[], behind: string[] = []): Promise<void> {
  const order = await fairOrderOf(t, sale, entrants);
  expect(await readWinners(t, sale)).toEqual(order.slice(0, 1));
  expect(await readLine(t, sale)).toEqual([...order.slice(1), ...behind]);
}

test('a Redis whose clock is behind takes entries until its own opening', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(5));
  await opensFor.postgres(sale, -1);
  await opensFor.redis(sale, OFF_MS);
  await drawAllLots(t);
  expect(await readDraw(t.db, sale.id)).toMatchObject({ closedAtMs: undefined, list: undefined });
  expect(await join(t, sale, 'last')).toEqual([{ kind: 'joined', entry: 6, isBeforeOpening: true }]);
  await letOpen(t, sale);
  await drawAllLots(t);
  await expectOrdered(sale, [...names(5), 'last']);
});

test('a Redis whose clock is ahead lets buyers wait behind the entries until the order is made', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, ...names(5));
  await opensFor.redis(sale, -1);
  await opensFor.postgres(sale, OFF_MS);
  expect(await join(t, sale, 'late')).toEqual([{ kind: 'joined', entry: undefined, isBeforeOpening: false }]);
  await drawAllLots(t);
  expect(await readDraw(t.db, sale.id)).toMatchObject({ closedAtMs: undefined });
  await letOpen(t, sale);
  await drawAllLots(t);
  await expectOrdered(sale, names(5), ['late']);
});

test('an entry that a clock which was set back lets in after the close gets its lot, and the list stays', async () => {
  const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
  await join(t, sale, ...names(5));
  await letOpen(t, sale);
  await drawAllLots(t);
  const closed = await readDraw(t.db, sale.id);
  await opensFor.redis(sale, OFF_MS);
  expect(await join(t, sale, 'early')).toEqual([{ kind: 'joined', entry: 6, isBeforeOpening: true }]);
  await decideDraw(t.db, sale.id, { value: '1 2 3', isSubstitute: false });
  await letOpen(t, sale);
  await drawAllLots(t);
  expect((await readDraw(t.db, sale.id))?.list).toEqual(closed?.list);
  await expectOrdered(sale, [...names(5), 'early']);
});

test('a clock that was set back before the units were offered only delays them', async () => {
  const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
  await join(t, sale, ...names(5));
  await letOpen(t, sale);
  await drawAllLots(t);
  await decideDraw(t.db, sale.id, { value: '1 2 3', isSubstitute: false });
  await rebuild(t, sale.id);
  await opensFor.redis(sale, OFF_MS);
  await drawAllLots(t);
  expect([await readWinners(t, sale), await readDraw(t.db, sale.id)]).toMatchObject([[], { isDealt: false }]);
  await opensFor.redis(sale, -1);
  await drawAllLots(t);
  await expectOrdered(sale, names(5));
});

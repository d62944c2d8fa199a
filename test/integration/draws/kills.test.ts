import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { type Draw, readDraw } from '#core/postgres/draws/draws.js';
import { checkout } from '#core/process/checkout.js';
import type { CrashPoint } from '#core/process/crash-point.js';
import { restoreEntry } from '#core/redis/draw/entries.js';
import type { Sale } from '#core/rules/sale.js';
import { keepAllEntries } from '#core/steps/line/keep-entries.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { build } from '../../support/build.js';
import { createDraw, fairOrderOf, join, letOpen, readLine, readWinners } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

// A process that makes the order of a draw is killed at each step, and another one continues. Redis may lose everything meanwhile.

const t = useStores();

const UNITS = 3;
const BUYERS = Array.from({ length: 40 }, (_, i) => `buyer-${i + 1}`);

const POINTS: CrashPoint[] = [
  'entries.stored',
  'draw.closed',
  'draw.listed',
  'draw.decided',
  'rebuild.read',
  'rebuild.staged',
  'rebuild.opened',
  'draw.ordered',
  'draw.dealt',
];

beforeAll(build, 120_000);

/** Later tests have nothing to do with the sales of this one. */
afterEach(async () => {
  await t.db.sale.updateMany({ data: { state: 'closed' } });
});

/** Runs a process that makes the order of a draw, and returns the signal that killed it. */
async function runDraw(saleId: string, crashAt: string): Promise<unknown> {
  const program = ['test/support/processes/draw-lots.mjs', t.redisUrl, t.databaseUrl, saleId];
  const environment = { PATH: process.env.PATH, NODE_ENV: 'test', ...(crashAt ? { DROPLINE_CRASH_AT: crashAt } : {}) };
  const child = spawn(process.execPath, program, { cwd: checkout, env: environment, stdio: 'ignore' });
  const [, signal] = await once(child, 'exit');
  return signal;
}

/** Creates a draw that has opened, with a buyer who came after the opening. */
async function openedDraw(): Promise<Sale> {
  const sale = await createDraw(t, { units: UNITS });
  await join(t, sale, ...BUYERS);
  await letOpen(t, sale);
  await join(t, sale, 'late');
  return sale;
}

/** Expects that all that was recorded of a draw before the kill is so at its end. */
function expectKept(before: Draw | undefined, after: Draw | undefined): void {
  expect(after).toMatchObject({
    ...(before?.closedAtMs === undefined ? {} : { closedAtMs: before.closedAtMs }),
    ...(before?.list ? { list: before.list } : {}),
    ...(before?.decided ? { decided: before.decided } : {}),
    isDealt: true,
  });
}

async function expectDealt(sale: Sale, entrants = BUYERS): Promise<void> {
  const order = await fairOrderOf(t, sale, entrants);
  expect([await readWinners(t, sale), (await readLine(t, sale)).filter(buyerId => buyerId !== 'late')]).toEqual([
    order.slice(0, UNITS).sort(),
    order.slice(UNITS),
  ]);
  await placeWaiting(t, { saleId: sale.id });
  expect(await audit(t.db, t.redis, sale.id)).toMatchObject({ ok: true, orders: { live: UNITS } });
}

const LOSSES = {
  alone: async () => undefined,
  'and Redis is flushed': () => t.redis.flushall(),
  'and an empty Redis replaces it': () => t.restartRedis(folder => rm(folder, { recursive: true, force: true })),
  'and Redis is killed, too': () => t.restartRedis(),
};

test.each(Object.entries(LOSSES))('a process is killed %s, and there is one order', async (_, lose) => {
  const sales = await Promise.all(POINTS.map(openedDraw));
  // All entries but one are in Postgres, so that a lost Redis loses none.
  await keepAllEntries(t);
  const first = sales[0] as Sale;
  await restoreEntry(t.redis, first.id, { buyerId: 'restored', number: 99 });
  const signals = await Promise.all(sales.map(({ id }, i) => runDraw(id, `${POINTS[i]}:kill:1`)));
  expect(signals).toEqual(POINTS.map(() => 'SIGKILL'));
  const before = await Promise.all(sales.map(({ id }) => readDraw(t.db, id)));
  await lose();
  await reconcileAll(t);
  await drawAllLots(t);
  const after = await Promise.all(sales.map(({ id }) => readDraw(t.db, id)));
  after.forEach((draw, i) => {
    expectKept(before[i], draw);
  });
  for (const sale of sales) await expectDealt(sale, sale === first ? [...BUYERS, 'restored'] : BUYERS);
});

test('processes that draw at once make one order', async () => {
  const sales = await Promise.all(POINTS.map(() => createDraw(t, { units: UNITS })));
  for (const sale of sales) {
    await join(t, sale, ...BUYERS);
    await letOpen(t, sale);
  }
  const rounds = Array.from({ length: 4 }, () => drawAllLots(t).catch(() => undefined));
  await Promise.all([...rounds, ...sales.slice(0, 2).map(({ id }) => runDraw(id, ''))]);
  await drawAllLots(t);
  for (const sale of sales) await expectDealt(sale);
});

test('a flushed Redis has the same order again, at every moment', async () => {
  const sale = await openedDraw();
  await keepAllEntries(t);
  await t.redis.flushall();
  await rebuild(t, sale.id);
  await drawAllLots(t);
  const told = await readDraw(t.db, sale.id);
  for (let i = 0; i < 3; i += 1) {
    await t.redis.flushall();
    await rebuild(t, sale.id);
    await drawAllLots(t);
    expect(await readDraw(t.db, sale.id)).toEqual(told);
  }
  // Nobody knew of the claims but Redis. Their buyers are the first again, and reconcile offers them the units.
  expect(await readLine(t, sale)).toEqual(await fairOrderOf(t, sale, BUYERS));
  await reconcileAll(t);
  await expectDealt(sale);
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signEntry } from '#core/identity/receipt.js';
import { drawAllLots, drawLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { decideDraw } from '#core/postgres/draws/draws.js';
import { keysOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { createDraw, join, letOpen } from '../../support/draws/lines.js';
import { eventually } from '../../support/eventually.js';
import { bearer, SECRET, useApi } from '../../support/http/api.js';
import { createMigratedDatabase } from '../../support/stores/shared-postgres.js';

// The calls of a buyer in a sale with a line before its opening.

const api = useApi();
let t: Connections;
beforeAll(async () => {
  t = await connectStores(api.redisServer.url, await createMigratedDatabase());
});
afterAll(() => t.close());

const MINUTE_MS = 60_000;

async function open(sale: Sale): Promise<void> {
  await letOpen(t, sale);
  api.ctx.sales.forget();
}

const statusOf = async (sale: Sale, buyerId: string, receipt?: string) => {
  const query = receipt === undefined ? '' : `?receipt=${encodeURIComponent(receipt)}`;
  return api.get(`/order-status/${sale.id}${query}`, buyerId);
};

describe('joining', () => {
  test('gives a number and a receipt, the same ones each time', async () => {
    const sale = await createDraw(t, { units: 1 });
    const first = await api.post(`/buy/${sale.id}`, 'ann');
    expect(first).toMatchObject({ status: 202, body: { status: 'joined', entry: 1 } });
    expect(first.body.receipt).toBe(signEntry(SECRET, { saleId: sale.id, buyerId: 'ann', number: 1 }));
    const { pollAfterMs: _, ...body } = first.body;
    expect(await api.post(`/buy/${sale.id}`, 'ann')).toMatchObject({ status: 202, body });
    expect((await statusOf(sale, 'ann')).body).toMatchObject({ status: 'joined', entry: 1 });
  });

  test('asks for no poll before minutes have passed', async () => {
    const sale = await createDraw(t, { units: 1 });
    const { body } = await api.post(`/buy/${sale.id}`, 'ann');
    expect(Number(body.pollAfterMs)).toBeGreaterThanOrEqual(5 * MINUTE_MS);
    expect(Number((await statusOf(sale, 'ann')).body.pollAfterMs)).toBeGreaterThanOrEqual(5 * MINUTE_MS);
  });

  test('too early is refused with the time at which it begins', async () => {
    const joinsAtMs = Date.now() + 30 * MINUTE_MS;
    const sale = await createDraw(t, { units: 1, joinsAtMs });
    const early = await api.post(`/buy/${sale.id}`, 'ann');
    expect(early).toMatchObject({
      status: 403,
      body: { code: 'not_open', detail: 'buyers may not join yet', joinsAt: new Date(joinsAtMs).toISOString() },
    });
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(1_700);
    expect((await statusOf(sale, 'ann')).body).toEqual({ status: 'none' });
  });

  test('after the opening is joining behind, while the order is made and later', async () => {
    const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
    await join(t, sale, 'ann', 'ben');
    await open(sale);
    expect((await api.post(`/buy/${sale.id}`, 'ann')).body).toMatchObject({ status: 'drawing', entry: 1 });
    const late = await api.post(`/buy/${sale.id}`, 'late');
    expect(late).toMatchObject({ status: 202, body: { status: 'drawing', pollAfterMs: expect.any(Number) } });
    expect(late.body).not.toHaveProperty('entry');
    expect(late.body).not.toHaveProperty('receipt');
    await drawLots(t, sale.id);
    await decideDraw(t.db, sale.id, { value: '4 8 15', isSubstitute: false });
    await drawLots(t, sale.id);
    api.ctx.sales.forget();
    expect((await statusOf(sale, 'late')).body).toMatchObject({ status: 'standby', position: 2 });
    expect((await api.post(`/buy/${sale.id}`, 'later')).body).toMatchObject({ status: 'standby', position: 3 });
  });

  test('after the end is refused', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann');
    await t.redis.hset(keysOf(sale.id).sale, 'closesAtMs', Date.now() - 1);
    api.ctx.sales.forget();
    expect(await api.post(`/buy/${sale.id}`, 'ben')).toMatchObject({ status: 410, body: { code: 'sale_closed' } });
    expect((await statusOf(sale, 'ann')).body).toEqual({ status: 'closed' });
  });

  test('a buyer who leaves has nothing, and joins again with the same number', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'eve', 'ann');
    expect(await api.post(`/cancel/${sale.id}`, 'ann')).toMatchObject({ status: 202, body: { status: 'none' } });
    expect((await statusOf(sale, 'ann')).body).toEqual({ status: 'none' });
    const twice = await api.post(`/cancel/${sale.id}`, 'ann');
    expect(twice).toMatchObject({ status: 409, body: { code: 'not_cancellable' } });
    expect((await api.post(`/buy/${sale.id}`, 'ann')).body).toMatchObject({ status: 'joined', entry: 2 });
  });

  test('a buyer who comes back after the opening stands behind, and not by the entry', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann', 'ben', 'cem');
    await api.post(`/cancel/${sale.id}`, 'cem');
    await open(sale);
    await drawLots(t, sale.id);
    api.ctx.sales.forget();
    await api.post(`/buy/${sale.id}`, 'cem');
    const { pollAfterMs: _, ...body } = (await statusOf(sale, 'cem')).body;
    expect(body).toEqual({ status: 'standby', position: 2 });
  });
});

test('the sale tells how it opens, when buyers may join, and in which phase it is', async () => {
  const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
  const seen = async () => {
    api.ctx.sales.forget();
    const { opening, joinsAt, state } = (await api.get(`/sales/${sale.id}`)).body;
    return { opening, joinsAt, state };
  };
  const joinsAt = new Date(Number(sale.joinsAtMs)).toISOString();
  expect(await seen()).toEqual({ opening: 'draw', joinsAt, state: 'joining' });
  await t.redis.hset(keysOf(sale.id).sale, 'joinsAtMs', Date.now() + MINUTE_MS);
  expect((await seen()).state).toBe('upcoming');
  await letOpen(t, sale);
  expect((await seen()).state).toBe('drawing');
  await drawLots(t, sale.id);
  await decideDraw(t.db, sale.id, { value: '4 8 15', isSubstitute: false });
  await drawLots(t, sale.id);
  expect((await seen()).state).toBe('open');
});

describe('a receipt of an entry', () => {
  test('brings the entry back, as often as it is shown', async () => {
    const sale = await createDraw(t, { units: 1 });
    const receipt = String((await api.post(`/buy/${sale.id}`, 'ann')).body.receipt);
    await t.redis.flushall();
    await rebuild(t, sale.id);
    expect((await statusOf(sale, 'ann')).body).toEqual({ status: 'none' });
    for (let i = 0; i < 2; i += 1) {
      expect((await statusOf(sale, 'ann', receipt)).body).toMatchObject({ status: 'joined', entry: 1 });
    }
  });

  test('of a buyer who left does not bring them back', async () => {
    const sale = await createDraw(t, { units: 1 });
    const receipt = String((await api.post(`/buy/${sale.id}`, 'ann')).body.receipt);
    await api.post(`/cancel/${sale.id}`, 'ann');
    expect((await statusOf(sale, 'ann', receipt)).body).toEqual({ status: 'none' });
  });

  test('that is malformed, forged, of another buyer or of another sale is refused, also to a wait and a stream', async () => {
    const sale = await createDraw(t, { units: 1 });
    const sign = (of: { saleId?: string; buyerId?: string }, key = SECRET) =>
      signEntry(key, { saleId: sale.id, buyerId: 'ann', number: 1, ...of });
    const wrong = [
      'entry.1',
      'nonsense',
      '',
      sign({}, 'another secret of at least 32 letters'),
      sign({ buyerId: 'ben' }),
      sign({ saleId: 'another' }),
      sign({}).replace('entry.1', 'entry.2'),
    ];
    for (const receipt of wrong) {
      const answer = await statusOf(sale, 'ann', receipt);
      expect([receipt, answer.status, answer.body.code]).toEqual([receipt, 400, 'bad_receipt']);
    }
    const url = `/order-status/${sale.id}?receipt=${sign({ buyerId: 'ben' })}`;
    for (const header of [{ prefer: 'wait=1' }, { accept: 'text/event-stream' }]) {
      const answer = await api.send(url, { headers: { ...bearer('ann'), ...header } });
      expect([answer.status, answer.body.code]).toEqual([400, 'bad_receipt']);
    }
  });

  test('that is wrong says nothing against a buyer who has joined', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann');
    expect((await statusOf(sale, 'ann', 'nonsense')).body).toMatchObject({ status: 'joined', entry: 1 });
  });
});

test('a receipt that is wrong says nothing against a winner of the draw', async () => {
  const sale = await createDraw(t, { units: 1 });
  await join(t, sale, 'ann');
  await letOpen(t, sale);
  await drawAllLots(t);
  api.ctx.sales.forget();
  expect((await statusOf(sale, 'ann', 'nonsense')).body).toMatchObject({ status: 'queued', unit: 1 });
});

describe('a buyer who waits', () => {
  test('has a tag that changes with the opening, and learns of it and of the order', async () => {
    const sale = await createDraw(t, { units: 1 }, { valueSource: 'the lottery of Friday' });
    await join(t, sale, 'ann');
    const { headers } = await statusOf(sale, 'ann');
    const etag = String(headers.get('etag'));
    const known = { ...bearer('ann'), 'if-none-match': etag };
    expect((await api.send(`/order-status/${sale.id}`, { headers: known })).status).toBe(304);
    const stream = api.stream(sale, 'ann');
    await eventually(() => expect(stream.events()).toMatchObject([{ status: 'joined', entry: 1 }]));
    const waiting = api.send(`/order-status/${sale.id}`, { headers: { ...known, prefer: 'wait=20' } });
    await eventually(() => expect(api.ctx.waiters.count()).toBe(2));
    await open(sale);
    expect((await waiting).body).toMatchObject({ status: 'drawing', entry: 1 });
    await eventually(() => expect(stream.events().at(-1)).toMatchObject({ status: 'drawing' }));
    await drawLots(t, sale.id);
    await decideDraw(t.db, sale.id, { value: '4 8 15', isSubstitute: false });
    await drawLots(t, sale.id);
    // While the order becomes the sale, its gate is shut for a moment: a stream that reads then ends, and says when to come back.
    const next = api.stream(sale, 'ann');
    await eventually(() => expect(next.events()).toMatchObject([{ status: 'queued' }]));
    next.destroy();
    stream.destroy();
  });
});

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isProven } from '#core/draw/merkle.js';
import { drawLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { decideDraw } from '#core/postgres/draws/draws.js';
import { drawKeyOf, keysOf } from '#core/redis/keys.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { DrawFacts } from '../../../apps/api/routes/draws.js';
import { createDraw, join, letOpen } from '../../support/draws/lines.js';
import { useApi } from '../../support/http/api.js';
import { createMigratedDatabase } from '../../support/stores/shared-postgres.js';

// The facts of a draw that everybody may read, and the proof of a buyer's entry.

const api = useApi();
let t: Connections;
beforeAll(async () => {
  t = await connectStores(api.redisServer.url, await createMigratedDatabase());
});
afterAll(() => t.close());

const SOURCE = { valueSource: 'the lottery of Friday' };
const names = (count: number) => Array.from({ length: count }, (_, i) => `buyer-${i + 1}`);

/** Opens a draw, and closes its list. The API reads the sale again. */
async function close(sale: Sale): Promise<void> {
  await letOpen(t, sale);
  await drawLots(t, sale.id);
  forget();
}

/** Lets the API read again what it keeps for a second. A second draw of the test would else wait for that. */
function forget(): void {
  api.ctx.sales.forget();
  api.ctx.publications.forget();
}

async function bytesOf(path: string): Promise<Buffer> {
  const answer = await fetch(api.url + path);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

/** Tells whether the answer to a question for a proof proves the entry of its buyer, as docs/http.md says. */
function proves(body: Record<string, unknown>): boolean {
  const { buyerId, salt, published, path, index, count, root } = body as Record<string, string> & { path: string[] };
  const hex = (text: unknown) => Buffer.from(String(text), 'hex');
  const id = createHash('sha256').update(hex(salt)).update(String(buyerId)).digest();
  const entry = hex(published);
  const place = { index: Number(index), count: Number(count), path: path.map(hex) };
  return entry.readBigUInt64BE() === BigInt(Number(body.entry)) && entry.subarray(8).equals(id)
    ? isProven(entry, place, hex(root))
    : false;
}

describe('the facts of a draw', () => {
  test('are a commitment at first, then a list, and at last the seed and the value', async () => {
    const sale = await createDraw(t, { units: 1 }, SOURCE);
    const facts = async () => {
      const answer = await api.get(`/draws/${sale.id}`);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=1']);
      return DrawFacts.parse(answer.body);
    };
    expect(await facts()).toEqual({ saleId: sale.id, commitment: expect.any(String), ...SOURCE });
    await join(t, sale, ...names(3));
    await close(sale);
    expect(await facts()).toMatchObject({ entries: 3, chunkEntries: 1_024, root: expect.any(String), lateEntries: 0 });
    await decideDraw(t.db, sale.id, { value: '4 8 15', isSubstitute: false });
    await drawLots(t, sale.id);
    forget();
    const { seed = '', commitment, value, isSubstitute } = await facts();
    expect(createHash('sha256').update(Buffer.from(seed, 'hex')).digest('hex')).toBe(commitment);
    expect([value, isSubstitute]).toEqual(['4 8 15', false]);
  });

  test('do not exist for a rush, nor for a sale that nobody knows', async () => {
    const rush = await api.open();
    await markRegistryWhole(api.redis, await readRunId(api.redis));
    for (const [path, buyer] of [
      ['', undefined],
      ['/entries/0', undefined],
      ['/proof', 'ann'],
    ] as const) {
      expect(await api.get(`/draws/${rush.id}${path}`, buyer)).toMatchObject({
        status: 404,
        body: { code: 'no_draw' },
      });
      const unknown = await api.get(`/draws/nowhere${path}`, buyer);
      expect(unknown).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
    }
  });

  test('do not come from a Redis that has lost them, or the sale', async () => {
    const sale = await createDraw(t, { units: 1 });
    await t.redis.del(drawKeyOf(sale.id));
    forget();
    for (const path of ['', '/entries/0']) {
      const answer = await api.get(`/draws/${sale.id}${path}`);
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(answer.headers.get('retry-after')).not.toBeNull();
    }
    await t.redis.hset(keysOf(sale.id).sale, 'runId', 'another');
    forget();
    expect(await api.get(`/draws/${sale.id}`)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(await api.get(`/draws/${sale.id}/proof`, 'ann')).toMatchObject({
      status: 503,
      body: { code: 'unavailable' },
    });
  });
});

describe('the list of a draw', () => {
  test('comes in parts that caches may keep', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, ...names(5));
    const before = await api.get(`/draws/${sale.id}/entries/0`);
    expect(before).toMatchObject({
      status: 404,
      body: { code: 'unknown_chunk', detail: 'the list is not closed yet' },
    });
    expect(before.headers.get('cache-control')).toBe('no-store');
    await close(sale);
    const bytes = await bytesOf(`/draws/${sale.id}/entries/0`);
    expect(Array.from({ length: 5 }, (_, i) => Number(bytes.readBigUInt64BE(i * 40)))).toEqual([1, 2, 3, 4, 5]);
    const { headers } = await api.get(`/draws/${sale.id}/entries/0`);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '200',
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  test.each(['1', '9999999'])('has no part %s', async chunk => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann');
    await close(sale);
    const answer = await api.get(`/draws/${sale.id}/entries/${chunk}`);
    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'unknown_chunk', detail: 'the list has 1 parts, from 0' },
    });
  });

  test.each(['-1', '00', '1.5', 'x', '12345678', '0x1', '%30%20'])('has no part that is named %s', async chunk => {
    const sale = await createDraw(t, { units: 1 });
    const answer = await api.get(`/draws/${sale.id}/entries/${chunk}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('that nobody joined has no parts', async () => {
    const sale = await createDraw(t, { units: 1 });
    await close(sale);
    expect((await api.get(`/draws/${sale.id}`)).body).toMatchObject({ entries: 0 });
    expect(await api.get(`/draws/${sale.id}/entries/0`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_chunk' },
    });
    expect(await api.get(`/draws/${sale.id}/proof`, 'ann')).toMatchObject({ status: 404, body: { code: 'no_entry' } });
  });
});

describe('a proof', () => {
  test('is for its buyer, whatever became of them', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, ...names(1_030));
    await close(sale);
    const { root } = (await api.get(`/draws/${sale.id}`)).body;
    for (const [buyer, number] of [
      ['buyer-1', 1],
      ['buyer-1024', 1_024],
      ['buyer-1025', 1_025],
      ['buyer-1030', 1_030],
    ] as const) {
      const { status, body, headers } = await api.get(`/draws/${sale.id}/proof`, buyer);
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { buyerId: buyer, entry: number, root, count: 1_030 },
      });
      expect([headers.get('cache-control'), proves(body)]).toEqual(['no-store', true]);
      expect(proves({ ...body, buyerId: 'another' })).toBe(false);
    }
    await api.post(`/cancel/${sale.id}`, 'buyer-1030');
    expect((await api.get(`/draws/${sale.id}/proof`, 'buyer-1030')).status).toBe(200);
  });

  test('needs a token', async () => {
    const sale = await createDraw(t, { units: 1 });
    expect(await api.get(`/draws/${sale.id}/proof`)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  test('comes only after the list is closed, and says when to ask', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann');
    const early = await api.get(`/draws/${sale.id}/proof`, 'ann');
    expect(early).toMatchObject({ status: 409, body: { code: 'not_closed' } });
    const seconds = Number(early.headers.get('retry-after'));
    expect([seconds > 3_500, seconds <= 3_603]).toEqual([true, true]);
    await letOpen(t, sale);
    forget();
    const soon = await api.get(`/draws/${sale.id}/proof`, 'ann');
    expect([soon.body.code, soon.headers.get('retry-after')]).toEqual(['not_closed', '2']);
  });

  test('is none for a buyer without an entry, and for one who left before the close', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann', 'ben', 'cem');
    await api.post(`/cancel/${sale.id}`, 'ben');
    await api.post(`/cancel/${sale.id}`, 'cem');
    await close(sale);
    for (const buyer of ['ben', 'eve']) {
      const answer = await api.get(`/draws/${sale.id}/proof`, buyer);
      expect(answer).toMatchObject({ status: 404, body: { code: 'no_entry' } });
    }
    await join(t, sale, 'cem');
    expect(await api.get(`/draws/${sale.id}/proof`, 'cem')).toMatchObject({
      status: 404,
      body: { code: 'late_entry' },
    });
  });

  test('is none for an entry whose receipt came back after the close', async () => {
    const sale = await createDraw(t, { units: 1 });
    await join(t, sale, 'ann');
    await keepEntries(t, sale.id);
    const { receipt } = (await api.post(`/buy/${sale.id}`, 'lost')).body;
    await t.redis.flushall();
    await rebuild(t, sale.id);
    await close(sale);
    const status = await api.get(`/order-status/${sale.id}?receipt=${receipt}`, 'lost');
    expect(status).toMatchObject({ status: 200, body: { status: 'standby' } });
    expect(await api.get(`/draws/${sale.id}/proof`, 'lost')).toMatchObject({
      status: 404,
      body: { code: 'late_entry' },
    });
    const published = async () => {
      await keepEntries(t, sale.id);
      forget();
      return DrawFacts.parse((await api.get(`/draws/${sale.id}`)).body).lateEntries;
    };
    expect(await published()).toBe(1);
    await api.post(`/cancel/${sale.id}`, 'lost');
    expect(await published()).toBe(0);
  });
});

import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, bearer, useApi } from '../../support/http/api.js';
import { streamOf } from '../../support/http/stream.js';

const api = useApi();

const waiting = (seconds: number, buyerId: string) => ({ ...bearer(buyerId), prefer: `wait=${seconds}` });
const buy = (sale: Sale, buyerId: string, seconds: number): Promise<Answer> =>
  api.send(`/buy/${sale.id}`, { method: 'POST', headers: waiting(seconds, buyerId) });
const look = (sale: Sale, buyerId: string, seconds: number): Promise<Answer> =>
  api.send(`/order-status/${sale.id}`, { headers: waiting(seconds, buyerId) });

const openStream = (sale: Sale, buyerId: string, headers: Record<string, string> = {}) =>
  streamOf(`${api.url}/order-status/${sale.id}`, { ...bearer(buyerId), ...headers });

const claimOf = async (sale: Sale, buyerId: string) => {
  const { body } = await api.post(`/buy/${sale.id}`, buyerId);
  return { buyerId, claimId: String(body.claimId), unit: Number(body.unit) };
};
const pending = { status: 'pending_payment' as const, payByMs: 1_900_000_000_000 };

/** The longest wait, in s and in ms. An answer that comes earlier did not wait to the end. */
const LONGEST = 30;
const LONGEST_MS = 30_000;

/** Enough waiters for one in each tick that wakes a waiter without news (SLOW_TICKS in apps/api/waiting/waiters.ts). */
const FIVE = ['ann', 'bob', 'cem', 'dan', 'eve'];
/** Between the first and the last of five waits that only the ticks end are 4 s. */
const BY_TICKS_MS = 3_500;

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  return [await work, performance.now() - startedAt];
}

/** Expects that five waits end together, as news ends them, and returns their answers. */
async function together(waits: Promise<Answer>[]): Promise<Answer[]> {
  const endedAt: number[] = [];
  const answers = await Promise.all(
    waits.map(async wait => {
      const answer = await wait;
      endedAt.push(performance.now());
      return answer;
    }),
  );
  expect(Math.max(...endedAt) - Math.min(...endedAt)).toBeLessThan(BY_TICKS_MS);
  return answers;
}

/** Waits until the requests have arrived and have read their buyers' status. */
async function untilSomebodyWaits(sale: Sale, count = 1): Promise<void> {
  await eventually(() => expect(api.ctx.waiters.count()).toBe(count));
  // This read comes after the first read of the waiter, on the same connection.
  await api.get(`/order-status/${sale.id}`, 'somebody-else');
}

describe('Prefer: wait on buy', () => {
  test('answers when the order is placed, with the status', async () => {
    const sale = await api.open();
    const answer = buy(sale, 'ann', LONGEST);
    const claimId = await eventually(async () => {
      const { body } = await api.get(`/order-status/${sale.id}`, 'ann');
      expect(body.status).toBe('queued');
      return String(body.claimId);
    });
    await recordStatus(api.redis, sale.id, [{ buyerId: 'ann', claimId, ...pending }]);
    const { status, body, headers } = await answer;
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'pending_payment', claimId, unit: 1, amountMinor: sale.priceMinor });
    expect(body).toHaveProperty('payBy');
    expect(headers.get('preference-applied')).toBe('wait=30');
  });

  test('answers with the claim even if Redis loses it meanwhile', async () => {
    const sale = await api.open();
    const answer = buy(sale, 'ann', 5);
    await untilSomebodyWaits(sale);
    await api.redis.flushall();
    await openSale(api.redis, sale);
    // A change of the sale makes every waiter look again.
    await setSale(api.redis, sale.id, { state: 'paused' });
    const { status, body } = await answer;
    expect({ status, body }).toMatchObject({ status: 202, body: { status: 'queued', unit: 1 } });
    expect((await api.get(`/order-status/${sale.id}?receipt=${body.receipt}`, 'ann')).body).toMatchObject({
      status: 'queued',
      claimId: body.claimId,
    });
  });

  test('answers with the claim after the wait', async () => {
    const sale = await api.open();
    const [{ status, body }, tookMs] = await timed(buy(sale, 'ann', 1));
    expect({ status, body }).toMatchObject({ status: 202, body: { status: 'queued', receipt: expect.any(String) } });
    expect(tookMs).toBeGreaterThanOrEqual(1_000);
  });

  test('answers a placed order, standby and a refusal at once', async () => {
    const sale = await api.open({ units: 1, standbyFactor: 1 });
    const claim = await claimOf(sale, 'ann');
    await recordStatus(api.redis, sale.id, [{ ...claim, ...pending }]);
    const [answers, tookMs] = await timed(
      Promise.all(['ann', 'bob', 'cem'].map(buyerId => buy(sale, buyerId, LONGEST))),
    );
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
      [200, 'pending_payment'],
      [202, 'standby'],
      [409, 409],
    ]);
    expect(tookMs).toBeLessThan(LONGEST_MS);
  });
});

describe('Prefer: wait on order-status', () => {
  test('answers when the status changes', async () => {
    const sale = await api.open({ units: FIVE.length });
    const claims = await Promise.all(FIVE.map(buyerId => claimOf(sale, buyerId)));
    const waits = FIVE.map(buyerId => look(sale, buyerId, LONGEST));
    await untilSomebodyWaits(sale, FIVE.length);
    await recordStatus(
      api.redis,
      sale.id,
      claims.map(claim => ({ ...claim, ...pending })),
    );
    for (const { body, headers } of await together(waits)) {
      expect(body.status).toBe('pending_payment');
      expect(headers.get('preference-applied')).toBe('wait=30');
    }
  });

  test('answers a buyer on standby when a unit comes free', async () => {
    const sale = await api.open({ units: 1, standbyFactor: 1 });
    const claim = await claimOf(sale, 'ann');
    await api.post(`/buy/${sale.id}`, 'bob');
    const answer = look(sale, 'bob', LONGEST);
    await untilSomebodyWaits(sale);
    await release(api.redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    expect((await answer).body).toMatchObject({ status: 'queued', unit: claim.unit });
  });

  test.each(['by the operator', 'by the clock'])(
    'answers the buyers on standby when the sale closes (%s)',
    async how => {
      const closesAtMs = how === 'by the clock' ? Date.now() + 2_500 : Date.now() + 3_600_000;
      const sale = await api.open({ units: 1, standbyFactor: FIVE.length, closesAtMs });
      await claimOf(sale, 'first');
      for (const buyerId of FIVE) await api.post(`/buy/${sale.id}`, buyerId);
      const waits = FIVE.map(buyerId => look(sale, buyerId, LONGEST));
      if (how === 'by the operator') {
        await untilSomebodyWaits(sale, FIVE.length);
        await setSale(api.redis, sale.id, { state: 'closed' });
      }
      for (const { body } of await together(waits)) expect(body).toEqual({ status: 'closed' });
      expect(Date.now()).toBeGreaterThanOrEqual(how === 'by the clock' ? closesAtMs : 0);
    },
  );

  test('answers at once if the status has changed since the tag that the client sends', async () => {
    const sale = await api.open();
    const claim = await claimOf(sale, 'ann');
    const known = await api.send(`/order-status/${sale.id}`, { headers: bearer('ann') });
    expect(known.body.status).toBe('queued');
    const headers = { ...waiting(LONGEST, 'ann'), 'if-none-match': known.headers.get('etag') ?? '' };
    const answer = api.send(`/order-status/${sale.id}`, { headers });
    await untilSomebodyWaits(sale);
    await recordStatus(api.redis, sale.id, [{ ...claim, ...pending }]);
    const news = await answer;
    expect(news.body.status).toBe('pending_payment');
    expect(news.headers.get('etag')).not.toBe(headers['if-none-match']);
    // The same request again: the change has happened already.
    const [again, tookMs] = await timed(api.send(`/order-status/${sale.id}`, { headers }));
    expect(again.body).toMatchObject({ status: 'pending_payment' });
    expect(tookMs).toBeLessThan(LONGEST_MS);
    // A plain poll has the same tag.
    const plain = await api.send(`/order-status/${sale.id}`, { headers: bearer('ann') });
    expect(plain.headers.get('etag')).toBe(news.headers.get('etag'));
  });

  test('answers at once where nothing can change, and with the present status after the wait', async () => {
    const sale = await api.open();
    const [none, tookMs] = await timed(look(sale, 'nobody', LONGEST));
    expect(none.body).toEqual({ status: 'none' });
    expect(tookMs).toBeLessThan(LONGEST_MS);
    await claimOf(sale, 'ann');
    const [{ body }, waitedMs] = await timed(look(sale, 'ann', 1));
    expect(body.status).toBe('queued');
    expect(waitedMs).toBeGreaterThanOrEqual(1_000);
  });

  test('waits 30 s at most, and not at all without a number', async () => {
    const sale = await api.open();
    const headers = { ...bearer('nobody'), prefer: 'respond-async, wait=3600' };
    const { headers: got } = await api.send(`/order-status/${sale.id}`, { headers });
    expect(got.get('preference-applied')).toBe('wait=30');
    const { headers: none } = await api.send(`/order-status/${sale.id}`, {
      headers: { ...bearer('nobody'), prefer: 'wait=soon' },
    });
    expect(none.has('preference-applied')).toBe(false);
  });

  test('ends when the client disconnects', async () => {
    const sale = await api.open();
    await claimOf(sale, 'ann');
    const controller = new AbortController();
    const gone = fetch(`${api.url}/order-status/${sale.id}`, {
      headers: waiting(LONGEST, 'ann'),
      signal: controller.signal,
    }).catch(error => error.name);
    await eventually(() => expect(api.ctx.waiters.count()).toBe(1));
    controller.abort();
    expect(await gone).toBe('AbortError');
    await eventually(() => expect(api.ctx.waiters.count()).toBe(0));
  });
});

describe('the fifth wait of a buyer for a sale', () => {
  const standing = (count: number) => eventually(() => expect(api.ctx.waiters.count()).toBe(count));

  test('replaces the oldest, which is answered with the present status and told to poll', async () => {
    const sale = await api.open();
    const claim = await claimOf(sale, 'ann');
    const waits: Promise<Answer>[] = [];
    for (let open = 1; open <= 4; open += 1) {
      waits.push(look(sale, 'ann', LONGEST));
      await standing(open);
    }
    const fifth = look(sale, 'ann', LONGEST);
    const [{ body, headers }, tookMs] = await timed(waits[0] as Promise<Answer>);
    expect(body).toMatchObject({ status: 'queued', claimId: claim.claimId, pollAfterMs: expect.any(Number) });
    expect(headers.has('preference-applied')).toBe(false);
    expect(tookMs).toBeLessThan(LONGEST_MS);
    await standing(4);
    await recordStatus(api.redis, sale.id, [{ ...claim, ...pending }]);
    for (const wait of [...waits.slice(1), fifth]) {
      const answer = await wait;
      expect(answer.body.status).toBe('pending_payment');
      expect(answer.headers.get('preference-applied')).toBe('wait=30');
    }
    await standing(0);
  });

  test('of 200 streams, four stand, and the others end with the event replaced', async () => {
    const sale = await api.open();
    const claim = await claimOf(sale, 'ann');
    const streams = Array.from({ length: 200 }, () => openStream(sale, 'ann'));
    const ended = () => streams.filter(({ seen }) => seen.ended);
    await eventually(() => expect(ended()).toHaveLength(196));
    expect(api.ctx.waiters.count()).toBe(4);
    for (const { seen } of ended()) {
      expect(seen.text).toMatch(/event: replaced\ndata: \{\}\n\n$/);
      expect(seen.text).toContain('"status":"queued"');
    }
    await release(api.redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    await eventually(() => expect(ended()).toHaveLength(200));
    expect(streams.filter(({ events }) => events().at(-1)?.reason === 'unpaid')).toHaveLength(4);
  });
});

// The last test of this file, as it ends all waiting.
test('a process that ends answers every waiting request and ends the streams', async () => {
  const sale = await api.open();
  await claimOf(sale, 'ann');
  const answer = look(sale, 'ann', LONGEST);
  const stream = openStream(sale, 'ann');
  await eventually(() => expect(stream.events()).toHaveLength(1));
  await eventually(() => expect(api.ctx.waiters.count()).toBe(2));
  api.ctx.waiters.close();
  expect((await answer).body).toMatchObject({ status: 'queued' });
  await eventually(() => expect(stream.seen.ended).toBe(true));
  const [late, tookMs] = await timed(look(sale, 'ann', LONGEST));
  expect(late.body).toMatchObject({ status: 'queued' });
  expect(tookMs).toBeLessThan(LONGEST_MS);
});

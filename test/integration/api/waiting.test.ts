import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { SaleWaiters } from '../../../apps/api/waiting/sale-waiters.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, bearer, PLACED, useApi } from '../../support/http/api.js';

const api = useApi();

// Every waiter also reads its status every 5 s, whether there is news or not. Without those reads, only news can end a wait:
// a wait without news answers after its whole time, and with the status from its beginning.
beforeAll(() => {
  jest.spyOn(SaleWaiters.prototype, 'wakeTick').mockReturnValue(undefined);
});
afterAll(() => void jest.restoreAllMocks());

const waiting = (seconds: number, buyerId: string) => ({ ...bearer(buyerId), prefer: `wait=${seconds}` });
const buy = (sale: Sale, buyerId: string, seconds: number): Promise<Answer> =>
  api.send(`/buy/${sale.id}`, { method: 'POST', headers: waiting(seconds, buyerId) });
const look = (sale: Sale, buyerId: string, seconds: number): Promise<Answer> =>
  api.send(`/order-status/${sale.id}`, { headers: waiting(seconds, buyerId) });

/** The longest wait, in s and in ms. An answer that comes earlier did not wait to the end. */
const LONGEST = 30;
const LONGEST_MS = 30_000;

const FIVE = ['ann', 'bob', 'cem', 'dan', 'eve'];

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  return [await work, performance.now() - startedAt];
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
    await recordStatus(api.redis, sale.id, [{ buyerId: 'ann', claimId, ...PLACED }]);
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
    const claim = await api.win(sale, 'ann');
    await recordStatus(api.redis, sale.id, [{ ...claim, ...PLACED }]);
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
    const claims = await Promise.all(FIVE.map(buyerId => api.win(sale, buyerId)));
    const waits = FIVE.map(buyerId => look(sale, buyerId, LONGEST));
    await untilSomebodyWaits(sale, FIVE.length);
    await recordStatus(
      api.redis,
      sale.id,
      claims.map(claim => ({ ...claim, ...PLACED })),
    );
    for (const { body, headers } of await Promise.all(waits)) {
      expect(body.status).toBe('pending_payment');
      expect(headers.get('preference-applied')).toBe('wait=30');
    }
  });

  test('answers a buyer on standby when a unit comes free', async () => {
    const sale = await api.open({ units: 1, standbyFactor: 1 });
    const claim = await api.win(sale, 'ann');
    await api.post(`/buy/${sale.id}`, 'bob');
    const answer = look(sale, 'bob', LONGEST);
    await untilSomebodyWaits(sale);
    await release(api.redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    expect((await answer).body).toMatchObject({ status: 'queued', unit: claim.unit });
  });

  /** Opens a sale whose only unit is taken, and on whose standby five buyers are. */
  async function openFull(): Promise<Sale> {
    const sale = await api.open({ units: 1, standbyFactor: FIVE.length });
    await api.win(sale, 'first');
    for (const buyerId of FIVE) await api.post(`/buy/${sale.id}`, buyerId);
    return sale;
  }

  const cutFeed = () => api.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');

  test.each([
    ['by the operator', async () => undefined],
    ['by the operator, while the feed is cut', cutFeed],
    ['by the operator, while no API may subscribe', forbidSubscribing],
  ] as const)('answers the buyers on standby when the sale closes (%s)', async (_, disturb) => {
    const sale = await openFull();
    const waits = FIVE.map(buyerId => look(sale, buyerId, LONGEST));
    await untilSomebodyWaits(sale, FIVE.length);
    await disturb(sale);
    try {
      await setSale(api.redis, sale.id, { state: 'closed' });
      for (const { body } of await Promise.all(waits)) expect(body).toEqual({ status: 'closed' });
    } finally {
      await api.redis.acl('SETUSER', 'default', '+subscribe');
    }
  });

  async function forbidSubscribing(sale: Sale): Promise<void> {
    await api.redis.acl('SETUSER', 'default', '-subscribe');
    await cutFeed();
    await eventually(() => expect(api.ctx.feed.hears(sale.id)).toBe(false));
  }

  test('answers the buyers on standby when the sale closes by the clock', async () => {
    const sale = await openFull();
    const closesAtMs = Date.now() + 3_000;
    await api.redis.hset(keysOf(sale.id).sale, 'closesAtMs', closesAtMs);
    // The API reads a sale at most once a second.
    await eventually(async () => expect((await api.ctx.sales.find(sale.id)).closesAtMs).toBe(closesAtMs));
    const waits = FIVE.map(buyerId => look(sale, buyerId, LONGEST));
    for (const { body } of await Promise.all(waits)) expect(body).toEqual({ status: 'closed' });
    expect(Date.now()).toBeGreaterThanOrEqual(closesAtMs);
  });

  test('answers at once if the status has changed since the tag that the client sends', async () => {
    const sale = await api.open();
    const claim = await api.win(sale, 'ann');
    const known = await api.send(`/order-status/${sale.id}`, { headers: bearer('ann') });
    expect(known.body.status).toBe('queued');
    const headers = { ...waiting(LONGEST, 'ann'), 'if-none-match': known.headers.get('etag') ?? '' };
    const answer = api.send(`/order-status/${sale.id}`, { headers });
    await untilSomebodyWaits(sale);
    await recordStatus(api.redis, sale.id, [{ ...claim, ...PLACED }]);
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
    await api.win(sale, 'ann');
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
    await api.win(sale, 'ann');
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
    const claim = await api.win(sale, 'ann');
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
    await recordStatus(api.redis, sale.id, [{ ...claim, ...PLACED }]);
    for (const wait of [...waits.slice(1), fifth]) {
      const answer = await wait;
      expect(answer.body.status).toBe('pending_payment');
      expect(answer.headers.get('preference-applied')).toBe('wait=30');
    }
    await standing(0);
  });
});

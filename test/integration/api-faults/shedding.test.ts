import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readOutboxAges } from '#core/redis/claims/outbox.js';
import { keysOf } from '#core/redis/keys.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, useApi } from '../../support/http/api.js';
import { readMetric } from '../../support/http/metrics.js';
import { fillTo, unfill } from '../../support/redis/fill.js';

const api = useApi();

const OVERLOADED = { status: 503, body: { code: 'overloaded' } };
const MINUTE_MS = 60 * SECOND_MS;
/** It only ends a test that fails: the outboxes are read once a second. */
const READ_AGAIN_MS = 20 * SECOND_MS;

/** Lets buyers win, and makes their claims old: no worker runs, so they stay in the outbox. */
async function fallBehind(sale: Sale, claims: number, ageMs: number): Promise<void> {
  for (let i = 1; i <= claims; i += 1) await api.post(`/buy/${sale.id}`, `winner-${i}`);
  const wonAtMs = Date.now() - ageMs;
  for (let i = 1; i <= claims; i += 1) await api.redis.zadd(keysOf(sale.id).outbox, wonAtMs, `winner-${i}`);
}

const catchUp = (sale: Sale) => api.redis.del(keysOf(sale.id).outbox);

const poll = (sale: Sale): Promise<Answer> => api.get(`/order-status/${sale.id}`, 'winner-1');
const click = (sale: Sale, buyerId: string): Promise<Answer> => api.post(`/buy/${sale.id}`, buyerId);

describe('a sale whose orders are not placed', () => {
  test('is a sign for the operator after two minutes, and still takes claims, polls and payments', async () => {
    const sale = await api.open({ units: 20 });
    await fallBehind(sale, 10, 3 * MINUTE_MS);
    await eventually(async () => expect(await readMetric('dropline_shed_level')).toBe(1));
    // A buyer whose order is placed now has to see that it must be paid.
    expect((await poll(sale)).status).toBe(200);
    expect((await click(sale, 'late')).status).toBe(202);
    expect((await api.post(`/pay/${sale.id}`, 'winner-1')).body.code).toBe('not_payable');
    expect((await api.get(`/sales/${sale.id}`)).status).toBe(200);
  });

  test('sheds claims after five minutes, and a shed claim was not made', async () => {
    const [sale, other] = [await api.open({ units: 20 }), await api.open({ units: 20 })];
    await fallBehind(sale, 10, 6 * MINUTE_MS);
    const before = await readMetric('dropline_shed_total{kind="claim"}');
    await eventually(async () => expect(await click(sale, 'winner-1')).toMatchObject(OVERLOADED));
    const answer = await click(sale, 'late');
    expect(answer).toMatchObject(OVERLOADED);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await api.redis.hexists(keysOf(sale.id).claims, 'late')).toBe(0);
    expect(await api.redis.llen(keysOf(sale.id).stock)).toBe(10);
    expect(await readMetric('dropline_shed_total{kind="claim"}')).toBe(before + 2);
    await eventually(async () => expect(await readMetric('dropline_shed_level')).toBe(2));
    // Cancellations and other sales continue.
    expect((await api.post(`/cancel/${sale.id}`, 'winner-1')).status).toBe(202);
    expect((await click(other, 'late')).status).toBe(202);
    await catchUp(sale);
    await eventually(async () => expect((await click(sale, 'late')).status).toBe(202));
    await eventually(async () => expect((await poll(sale)).status).toBe(200));
  });

  test('sheds claims until half of the five minutes is caught up', async () => {
    const [sale, other] = [await api.open({ units: 20 }), await api.open({ units: 20 })];
    await fallBehind(sale, 10, 6 * MINUTE_MS);
    await eventually(async () => expect(await click(sale, 'winner-1')).toMatchObject(OVERLOADED));
    await fallBehind(sale, 10, 4 * MINUTE_MS);
    await fallBehind(other, 10, 6 * MINUTE_MS);
    // The outboxes are read together, so the present age of the first one is known once the other one sheds.
    await eventually(async () => expect(await click(other, 'winner-1')).toMatchObject(OVERLOADED));
    expect(await click(sale, 'late')).toMatchObject(OVERLOADED);
    await fallBehind(sale, 10, 2 * MINUTE_MS);
    await eventually(async () => expect((await click(sale, 'late')).status).toBe(202));
    await Promise.all([sale, other].map(catchUp));
  });

  test('is noticed after a reading of the outboxes that failed', async () => {
    const [sale, broken] = [await api.open({ units: 20 }), await api.open()];
    const { outbox } = keysOf(broken.id);
    const failures = () => readMetric('dropline_store_errors_total{store="redis"}');
    const before = await failures();
    await api.post(`/buy/${broken.id}`, 'winner-1');
    await api.redis.del(outbox);
    await api.redis.set(outbox, 'another type');
    await eventually(async () => expect(await failures()).toBeGreaterThan(before));
    await api.redis.del(outbox);
    await fallBehind(sale, 10, 6 * MINUTE_MS);
    await eventually(async () => expect(await click(sale, 'winner-1')).toMatchObject(OVERLOADED), READ_AGAIN_MS);
    await catchUp(sale);
    await eventually(async () => expect((await click(sale, 'late')).status).toBe(202));
  });

  test('is not behind because of nine claims that Postgres refuses', async () => {
    const sale = await api.open({ units: 20 });
    await fallBehind(sale, 9, 60 * MINUTE_MS);
    expect((await readOutboxAges(api.redis)).get(sale.id)).toBe(0);
    await click(sale, 'tenth');
    expect((await readOutboxAges(api.redis)).get(sale.id)).toBeLessThan(MINUTE_MS);
  });
});

describe('a Redis that is nearly full', () => {
  afterEach(async () => {
    await unfill(api.redis);
    await eventually(async () => expect(await readMetric('dropline_redis_memory_ratio')).toBe(0));
  });
  const REFUSING = { status: 'ready', note: expect.stringMatching(/^Redis has used \d\d % .*: clicks are refused$/) };

  /** Fills Redis to a share of its memory, and waits until the API has seen it. */
  async function seeFilled(share: number): Promise<void> {
    await fillTo(api.redis, share);
    await eventually(async () => expect(await readMetric('dropline_redis_memory_ratio')).toBeCloseTo(share, 2));
  }

  test('sheds clicks and nothing else', async () => {
    const sale = await api.open({ units: 20 });
    expect((await click(sale, 'winner-1')).status).toBe(202);
    await fillTo(api.redis, 0.88);
    await eventually(async () => expect(await click(sale, 'winner-1')).toMatchObject(OVERLOADED));
    expect(await click(sale, 'late')).toMatchObject(OVERLOADED);
    expect(await api.redis.hexists(keysOf(sale.id).claims, 'late')).toBe(0);
    expect((await poll(sale)).status).toBe(200);
    expect((await api.post(`/pay/${sale.id}`, 'winner-1')).body.code).toBe('not_payable');
    expect((await api.post(`/cancel/${sale.id}`, 'winner-1')).status).toBe(202);
  });

  test('says that clicks are refused until they are accepted, which is clearly below the share that refuses them', async () => {
    const sale = await api.open({ units: 20 });
    let buyers = 0;
    const expectClicks = async (outcome: 'accepted' | 'refused') => {
      const refused = outcome === 'refused';
      const answer = await click(sale, `buyer-${++buyers}`);
      expect(answer).toMatchObject(refused ? OVERLOADED : { status: 202 });
      const { body } = await api.get('/readyz');
      expect(body).toEqual(refused ? REFUSING : { status: 'ready' });
      expect((await readMetric('dropline_shed_level')) >= 2).toBe(refused);
    };
    await seeFilled(0.82);
    await expectClicks('accepted');
    await seeFilled(0.88);
    await expectClicks('refused');
    await seeFilled(0.82);
    await expectClicks('refused');
    await seeFilled(0.75);
    await expectClicks('accepted');
    await seeFilled(0.82);
    await expectClicks('accepted');
  });
});

describe('an event loop that is late in every turn', () => {
  /** Longer than the delay at which pages and polls are shed, and far from the one for payments. */
  const TURN_MS = 250;

  test('sheds pages and polls, and still takes payments; afterwards it serves all', async () => {
    const sale = await api.open();
    let isBusy = true;
    const work = (async () => {
      while (isBusy) {
        const endsAtMs = performance.now() + TURN_MS;
        while (performance.now() < endsAtMs);
        await turn();
      }
    })();
    try {
      await eventually(async () => expect(await api.get(`/sales/${sale.id}`)).toMatchObject(OVERLOADED));
      expect(await api.get('/')).toMatchObject(OVERLOADED);
      expect(await poll(sale)).toMatchObject(OVERLOADED);
      expect((await api.get('/healthz')).status).toBe(200);
      expect((await api.post(`/pay/${sale.id}`, 'ann')).body.code).toBe('not_payable');
    } finally {
      isBusy = false;
      await work;
    }
    await eventually(async () => expect((await api.get(`/sales/${sale.id}`)).status).toBe(200));
  });
});

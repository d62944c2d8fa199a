import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { changeSale } from '#core/operator/change-sale.js';
import { parseChange } from '#core/redis/feed/changes.js';
import { channelOf } from '#core/redis/keys.js';
import { eventually } from '../support/eventually.js';
import { type Client, createClient, type TimedAnswer } from '../support/http/client.js';
import { readCommandCalls } from '../support/redis/command-stats.js';
import { PATIENCE_MS } from '../support/rush.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { passDeadlines } from '../support/stores/by-hand.js';

// Standby, waiting and pauses, with a crowd, on two API processes and a worker.

const CONNECTIONS = 600;
const PRICE_MINOR = 4_900;

let stack: TestStack;
let client: Client;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  client = createClient(stack.baseUrls, stack.authSecret, CONNECTIONS);
});
afterAll(async () => {
  await client?.close();
  await stack?.stop();
});

const named = (count: number, name: string): string[] => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

type Bought = Map<string, TimedAnswer>;

async function buyAll(
  saleId: string,
  buyerIds: string[],
  onAnswer?: (buyerId: string, answer: TimedAnswer) => void,
): Promise<Bought> {
  const answers = buyerIds.map(async buyerId => {
    // An API that is overloaded says so, on a busy machine, and the buyer clicks again.
    const answer = await eventually(async () => {
      const latest = await client.send(buyerId, { method: 'POST', path: `/buy/${saleId}` });
      expect(latest.http).not.toBe(503);
      return latest;
    }, PATIENCE_MS);
    onAnswer?.(buyerId, answer);
    return [buyerId, answer] as const;
  });
  return new Map(await Promise.all(answers));
}

const buyersWith = (answers: Bought, wanted: object): string[] =>
  [...answers].filter(([, { body }]) => Object.entries(wanted).every(([k, v]) => body[k] === v)).map(([id]) => id);

async function expectAudit(saleId: string): Promise<void> {
  await eventually(async () => expect((await stack.audit(saleId)).violations).toEqual([]));
}

describe('20 units, a standby of 100, and 10,000 buyers', () => {
  const UNITS = 20;
  const STANDBY = 100;
  /** Longer than any machine takes to pay. The test itself lets the deadlines pass. */
  const PAY_WITHIN_SECONDS = 3_600;
  let saleId: string;
  /** The buyers on standby, by position. */
  let standby: string[];
  /** The buyers who left the standby, in order. */
  const left: string[] = [];
  const payments: Promise<unknown>[] = [];
  let ears: Redis;

  afterAll(() => ears?.disconnect());

  test('20 buyers win, 100 get the positions 1 to 100 on standby, and all others are refused', async () => {
    await stack.credit(named(10_000, 'b'), PRICE_MINOR);
    saleId = await stack.createSale({
      units: UNITS,
      standbyFactor: STANDBY / UNITS,
      payWithinSeconds: PAY_WITHIN_SECONDS,
      priceMinor: PRICE_MINOR,
    });
    ears = stack.connections.redis.duplicate({ enableOfflineQueue: true });
    ears.on('message', (_channel, text) => {
      for (const change of parseChange(text).buyers) if (change.kind === 'left') left.push(change.buyerId);
    });
    await ears.subscribe(channelOf(saleId));
    // The ten winners with the fastest answers pay.
    const answers = await buyAll(saleId, named(10_000, 'b'), (buyerId, { body }) => {
      if (body.status === 'queued' && payments.length < 10) payments.push(pays(buyerId));
    });
    const winners = buyersWith(answers, { status: 'queued' });
    const positionOf = (buyerId: string) => Number(answers.get(buyerId)?.body.position);
    standby = buyersWith(answers, { status: 'standby' }).sort((a, b) => positionOf(a) - positionOf(b));
    expect(winners).toHaveLength(UNITS);
    expect(standby.map(positionOf)).toEqual(Array.from({ length: STANDBY }, (_, i) => i + 1));
    expect(buyersWith(answers, { code: 'sold_out' })).toHaveLength(10_000 - UNITS - STANDBY);
  });

  test('no refused click reaches Redis while the standby is full', async () => {
    const { redis } = stack.connections;
    const scripts = async () => (await readCommandCalls(redis)).zrank ?? 0;
    // The script looks for a refused buyer on standby by ZRANK. No other command of this moment uses ZRANK.
    // A crowd may keep a busy machine from confirming for a second that the standby is full, so it comes in waves.
    for (let wave = 1; wave <= 10; wave += 1) {
      await eventually(async () => {
        const before = await scripts();
        const answers = await buyAll(saleId, named(100, `late-${wave}`));
        expect(buyersWith(answers, { code: 'sold_out' })).toHaveLength(100);
        expect(await scripts()).toBe(before);
      });
    }
  });

  test('the units of 10 unpaid orders go to the first 10 on standby, in order', async () => {
    await Promise.all(payments);
    const { order: orderRows } = stack.connections.db;
    await eventually(async () => {
      expect(await orderRows.count({ where: { saleId, status: 'paid' } })).toBe(10);
      expect(await orderRows.count({ where: { saleId, status: 'pending_payment' } })).toBe(10);
    });
    await passDeadlines(stack.connections, saleId);
    const first = standby.slice(0, 10);
    await Promise.all(first.map(buyerId => becomes(buyerId, 'pending_payment')));
    expect(left.slice(0, 10)).toEqual(first);

    const orders = await orderRows.findMany({ where: { saleId } });
    const promoted = orders.filter(order => first.includes(order.buyerId));
    expect(promoted).toHaveLength(10);
    for (const order of promoted) {
      const before = orders.find(({ unit, status }) => unit === order.unit && status === 'cancelled');
      const handoverMs = order.placedAt.getTime() - Number(before?.payBy.getTime());
      expect(handoverMs).toBeGreaterThanOrEqual(0);
      // The full time to pay, not the rest of the time of the first order.
      expect(order.payBy.getTime() - order.placedAt.getTime()).toBe(PAY_WITHIN_SECONDS * 1_000);
    }
  });

  test('a promoted buyer who does not pay passes the unit on', async () => {
    await pays(standby[0] ?? '');
    await becomes(standby[0] ?? '', 'paid');
    await passDeadlines(stack.connections, saleId);
    await Promise.all(standby.slice(10, 19).map(buyerId => becomes(buyerId, 'pending_payment')));
    await becomes(standby[1] ?? '', 'cancelled');
    expect(await position(standby[19] ?? '')).toBe(1);
    await expectAudit(saleId);
  });

  test('a buyer who leaves moves the others up, and the close ends the standby and keeps units in stock', async () => {
    await stack.cancel(standby[19] ?? '', saleId);
    await eventually(async () => expect(await position(standby[20] ?? '')).toBe(1));
    await changeSale(stack.connections, saleId, { state: 'closed' });
    await becomes(standby[20] ?? '', 'closed');
    await passDeadlines(stack.connections, saleId);
    await becomes(standby[10] ?? '', 'cancelled');
    await eventually(async () => expect((await stack.audit(saleId)).free).toBe(9));
    await becomes(standby[20] ?? '', 'closed');
    await expectAudit(saleId);
  });

  const pays = (buyerId: string) => eventually(async () => expect((await stack.pay(buyerId, saleId)).http).toBe(202));
  const statusOf = async (buyerId: string) =>
    (await client.send(buyerId, { method: 'GET', path: `/order-status/${saleId}` })).body;
  const position = async (buyerId: string) => (await statusOf(buyerId)).position;
  const becomes = (buyerId: string, status: string) =>
    eventually(async () => expect((await statusOf(buyerId)).status).toBe(status));
});

describe('waiting for the answer', () => {
  const WAITERS = 1_000;
  const LONGEST_SECONDS = 30;

  test('a winning click that waits is answered when the order is placed', async () => {
    const saleId = await stack.createSale({ units: 3 });
    const buy = { method: 'POST', path: `/buy/${saleId}`, headers: { prefer: `wait=${LONGEST_SECONDS}` } } as const;
    await client.send('warm', buy);
    const startedAtMs = performance.now();
    const answer = await client.send('ann', buy);
    expect(answer).toMatchObject({ http: 202, body: { status: 'pending_payment', unit: 2 } });
    // Without news, the answer would come at the end of the wait.
    expect(answer.atMs - startedAtMs).toBeLessThan(LONGEST_SECONDS * 1_000);
  });

  /**
   * Lets all buyers on standby wait at one of the APIs, and closes the sale. All must learn the close: a wait that ends
   * without news answers with the status from its beginning. Here an answer may also come of the slow looks at each
   * buyer. test/integration/api/waiting.test.ts has none, and so shows which news ends a wait.
   */
  async function expectAllAnswered(disturb: () => Promise<unknown>): Promise<void> {
    const saleId = await stack.createSale({ units: 1, standbyFactor: WAITERS });
    await buyAll(saleId, ['first']);
    await buyAll(saleId, named(WAITERS, 'w'));
    const { redis } = stack.connections;
    const look = { method: 'GET', path: `/order-status/${saleId}` } as const;
    await redis.config('RESETSTAT');
    const wait = { ...look, headers: { prefer: `wait=${LONGEST_SECONDS}` } };
    const waiting = named(WAITERS, 'w').map(buyerId => client.send(buyerId, wait));
    // A waiting request has begun when it has read the position on standby.
    await eventually(async () => expect((await readCommandCalls(redis)).zrank).toBeGreaterThanOrEqual(WAITERS));
    await disturb();
    await changeSale(stack.connections, saleId, { state: 'closed' });
    const answers = await Promise.all(waiting);
    expect(answers.filter(({ body }) => body.status === 'closed').length).toBe(WAITERS);
  }

  test('1,000 waiting buyers at two APIs learn the close', () => expectAllAnswered(async () => undefined));

  test('waiting buyers learn the close when the feed is cut', () =>
    expectAllAnswered(() => stack.connections.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')));

  test('waiting buyers learn the close when no API may subscribe', async () => {
    const { redis } = stack.connections;
    await redis.acl('SETUSER', 'default', '-subscribe');
    try {
      await expectAllAnswered(() => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    } finally {
      await redis.acl('SETUSER', 'default', '+subscribe');
    }
  });
});

describe('a pause between purchases', () => {
  const PAUSE_SECONDS = 10;

  test('a buyer with 1,000 clicks in 5 sales wins once, and again only after the pause; most clicks are too many', async () => {
    const sales = await Promise.all(
      Array.from({ length: 5 }, () => stack.createSale({ units: 10, minSecondsBetweenPurchases: PAUSE_SECONDS })),
    );
    const startedAtMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, i) => {
        const saleId = sales[i % sales.length] ?? '';
        return { saleId, ...(await client.send('keen', { method: 'POST', path: `/buy/${saleId}` })) };
      }),
    );
    const winning = new Set(answers.filter(({ body }) => body.claimId).map(({ body }) => body.claimId));
    expect(winning.size).toBe(1);
    const won = answers.find(({ body }) => body.claimId)?.saleId;
    // The two APIs together answer 20 clicks at once and 5 a second. They refuse the others unread.
    const heard = answers.filter(({ body }) => body.code !== 'too_many_requests');
    expect(heard.length).toBeLessThanOrEqual(20 + (5 * (performance.now() - startedAtMs)) / 1_000);
    for (const { saleId, http, body, headers } of heard.filter(answer => answer.saleId !== won)) {
      expect({ saleId, http, code: body.code }).toEqual({ saleId, http: 429, code: 'too_soon' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(PAUSE_SECONDS);
    }
    const next = sales.find(saleId => saleId !== won) ?? '';
    const bought = await eventually(async () => {
      const answer = await client.send('keen', { method: 'POST', path: `/buy/${next}` });
      expect(answer.http).toBe(202);
      return answer;
    });
    // The pause began with the first win, after `startedAtMs`.
    expect(bought.atMs - startedAtMs).toBeGreaterThanOrEqual(PAUSE_SECONDS * 1_000);
  });
});

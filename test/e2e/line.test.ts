import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { changeSale } from '#core/operator/change-sale.js';
import type { Redis } from '#core/redis/connection.js';
import { parseChange } from '#core/redis/feed/changes.js';
import { channelOf } from '#core/redis/keys.js';
import { eventually } from '../support/eventually.js';
import { type Client, openClient, type TimedAnswer } from '../support/http/client.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { commandCalls } from '../support/stores/command-stats.js';

// The line around the claim, with a crowd, on two API processes and a worker.

const CONNECTIONS = 600;
const PRICE_MINOR = 4_900;

let stack: TestStack;
let client: Client;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  client = openClient(stack.baseUrls, stack.authSecret, CONNECTIONS);
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
    const answer = await client.send(buyerId, 'POST', `/buy/${saleId}`);
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

describe('20 units, a line of 100, and 10,000 buyers', () => {
  const UNITS = 20;
  const LINE = 100;
  const PAY_WITHIN_SECONDS = 6;
  const HANDOVER_MS = 2_000;
  let saleId: string;
  let line: string[];
  /** In the order in which they left the line. */
  const left: string[] = [];
  const payments: Promise<unknown>[] = [];
  let ears: Redis;

  afterAll(() => ears?.disconnect());

  test('20 claims, 100 in line at positions 1 to 100, and everybody else is refused', async () => {
    await stack.credit(named(10_000, 'b'), PRICE_MINOR);
    saleId = await stack.createSale({
      units: UNITS,
      standbyFactor: LINE / UNITS,
      payWithinSeconds: PAY_WITHIN_SECONDS,
      priceMinor: PRICE_MINOR,
    });
    ears = stack.connections.redis.duplicate({ enableOfflineQueue: true });
    ears.on('message', (_channel, text) => {
      for (const change of parseChange(text).buyers) if (change.kind === 'left') left.push(change.buyerId);
    });
    await ears.subscribe(channelOf(saleId));
    // The first ten who learn that they have won pay.
    const answers = await buyAll(saleId, named(10_000, 'b'), (buyerId, { body }) => {
      if (body.status === 'queued' && payments.length < 10) payments.push(pays(buyerId));
    });
    const winners = buyersWith(answers, { status: 'queued' });
    const positionOf = (buyerId: string) => Number(answers.get(buyerId)?.body.position);
    line = buyersWith(answers, { status: 'standby' }).sort((a, b) => positionOf(a) - positionOf(b));
    expect(winners).toHaveLength(UNITS);
    expect(line.map(positionOf)).toEqual(Array.from({ length: LINE }, (_, i) => i + 1));
    expect(buyersWith(answers, { code: 'sold_out' })).toHaveLength(10_000 - UNITS - LINE);
  });

  test('no refusal reaches Redis while the line is full', async () => {
    const { redis } = stack.connections;
    const scripts = async () => (await commandCalls(redis)).zrank ?? 0;
    // A refusal by the script looks for the buyer in the line, and nothing else that runs now does.
    await eventually(async () => {
      const before = await scripts();
      await buyAll(saleId, named(20, 'late'));
      expect(await scripts()).toBe(before);
    });
    const before = await scripts();
    const answers = await buyAll(saleId, named(1_000, 'later'));
    expect(buyersWith(answers, { code: 'sold_out' })).toHaveLength(1_000);
    expect(await scripts()).toBe(before);
  });

  test('10 do not pay: their units go to the first 10 in line, in order, within 2 s', async () => {
    await Promise.all(payments);
    await expectAudit(saleId);
    const first = line.slice(0, 10);
    await Promise.all(first.map(buyerId => becomes(buyerId, 'pending_payment')));
    expect(left.slice(0, 10)).toEqual(first);

    const orders = await stack.connections.db.order.findMany({ where: { saleId } });
    const promoted = orders.filter(order => first.includes(order.buyerId));
    expect(promoted).toHaveLength(10);
    for (const order of promoted) {
      const before = orders.find(({ unit, status }) => unit === order.unit && status === 'cancelled');
      const handoverMs = order.placedAt.getTime() - Number(before?.payBy.getTime());
      expect(handoverMs).toBeGreaterThanOrEqual(0);
      expect(handoverMs).toBeLessThan(HANDOVER_MS);
      // The full time to pay, not what was left of somebody else's.
      expect(order.payBy.getTime() - order.placedAt.getTime()).toBe(PAY_WITHIN_SECONDS * 1_000);
    }
  });

  test('whoever was promoted and does not pay passes the unit on', async () => {
    await stack.pay(line[0] ?? '', saleId);
    await Promise.all(line.slice(10, 19).map(buyerId => becomes(buyerId, 'pending_payment')));
    await becomes(line[1] ?? '', 'cancelled');
    await becomes(line[0] ?? '', 'paid');
    expect(await position(line[19] ?? '')).toBe(1);
    await expectAudit(saleId);
  });

  test('leaving the line moves up those behind; the close ends the line, and what comes back stays in stock', async () => {
    await stack.cancel(line[19] ?? '', saleId);
    await eventually(async () => expect(await position(line[20] ?? '')).toBe(1));
    await changeSale(stack.connections, saleId, { state: 'closed' });
    await becomes(line[20] ?? '', 'closed');
    await becomes(line[10] ?? '', 'cancelled');
    await eventually(async () => expect((await stack.audit(saleId)).free).toBe(9));
    await becomes(line[20] ?? '', 'closed');
    await expectAudit(saleId);
  });

  const pays = (buyerId: string) =>
    eventually(async () => expect((await stack.pay(buyerId, saleId)).http).toBe(202), 20_000);
  const statusOf = async (buyerId: string) => (await client.send(buyerId, 'GET', `/order-status/${saleId}`)).body;
  const position = async (buyerId: string) => (await statusOf(buyerId)).position;
  const becomes = (buyerId: string, status: string) =>
    eventually(async () => expect((await statusOf(buyerId)).status).toBe(status), 20_000);
});

describe('waiting for the answer', () => {
  const WAITERS = 1_000;
  const wait = { prefer: 'wait=30' };

  test('a winning buy is answered with the placed order, within 1 s', async () => {
    const saleId = await stack.createSale({ units: 3 });
    await client.send('warm', 'POST', `/buy/${saleId}`, { prefer: 'wait=10' });
    const startedAtMs = performance.now();
    const answer = await client.send('ann', 'POST', `/buy/${saleId}`, { prefer: 'wait=10' });
    expect(answer).toMatchObject({ http: 202, body: { status: 'pending_payment', unit: 2 } });
    expect(answer.atMs - startedAtMs).toBeLessThan(1_000);
  });

  /** Everybody waits in line at one of the APIs; the sale closes; all must know within the limit. */
  async function expectAllTold(limitMs: number, disturb: () => Promise<unknown>): Promise<void> {
    const saleId = await stack.createSale({ units: 1, standbyFactor: WAITERS });
    await buyAll(saleId, ['first']);
    await buyAll(saleId, named(WAITERS, 'w'));
    const { redis } = stack.connections;
    await redis.config('RESETSTAT');
    const waiting = named(WAITERS, 'w').map(buyerId => client.send(buyerId, 'GET', `/order-status/${saleId}`, wait));
    // Whoever has seen their place in the line is one who is to be told already.
    await eventually(async () => expect((await commandCalls(redis)).zrank).toBeGreaterThanOrEqual(WAITERS));
    await disturb();
    const closedAtMs = performance.now();
    await changeSale(stack.connections, saleId, { state: 'closed' });
    const answers = await Promise.all(waiting);
    expect(answers.filter(({ body }) => body.status === 'closed').length).toBe(WAITERS);
    expect(Math.max(...answers.map(({ atMs }) => atMs)) - closedAtMs).toBeLessThan(limitMs);
  }

  test('1,000 who wait at two APIs are all told within 1 s', () => expectAllTold(1_000, async () => undefined));

  test('with the feed cut they are told within 3 s', () =>
    expectAllTold(3_000, () => stack.connections.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')));

  test('an API that may not subscribe tells them within 3 s, too', async () => {
    const { redis } = stack.connections;
    await redis.acl('SETUSER', 'default', '-subscribe');
    try {
      await expectAllTold(3_000, () => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    } finally {
      await redis.acl('SETUSER', 'default', '+subscribe');
    }
  });
});

describe('a pause between purchases', () => {
  const PAUSE_SECONDS = 10;

  test('1,000 buys of one buyer in 5 sales: one is won, and the next after the pause, not before', async () => {
    const sales = await Promise.all(
      Array.from({ length: 5 }, () => stack.createSale({ units: 10, minSecondsBetweenPurchases: PAUSE_SECONDS })),
    );
    const startedAtMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, i) => {
        const saleId = sales[i % sales.length] ?? '';
        return { saleId, ...(await client.send('keen', 'POST', `/buy/${saleId}`)) };
      }),
    );
    const winning = new Set(answers.filter(({ body }) => body.claimId).map(({ body }) => body.claimId));
    expect(winning.size).toBe(1);
    const won = answers.find(({ body }) => body.claimId)?.saleId;
    for (const { saleId, http, body, headers } of answers.filter(answer => answer.saleId !== won)) {
      expect({ saleId, http, code: body.code }).toEqual({ saleId, http: 429, code: 'too_soon' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    const next = sales.find(saleId => saleId !== won) ?? '';
    const bought = await eventually(async () => {
      const answer = await client.send('keen', 'POST', `/buy/${next}`);
      expect(answer.http).toBe(202);
      return answer;
    });
    // It was won after the start.
    const tookMs = bought.atMs - startedAtMs;
    expect(tookMs).toBeGreaterThanOrEqual(PAUSE_SECONDS * 1_000);
    expect(tookMs).toBeLessThan(PAUSE_SECONDS * 1_000 + 3_000);
  });
});

import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { eventually } from '../support/eventually.js';
import { type Killable, startTestStack, type TestStack } from '../support/stack.js';
import { type Edge, hostsOf, startEdge } from './rig/edge.js';
import { HONEST_MIN, type HonestRequest, honestDuring, SENDERS, type Tally } from './rig/honest.js';
import { rawRequest, sendRaw } from './rig/raw.js';

// APIs are killed, stopped, frozen or replaced while buyers click. nginx learns of an API only through these requests.

/** Clicks while an API is frozen, which meets about half of them. All senders would stay with it, if nginx let them. */
const FROZEN_CLICKS = 4 * SENDERS;

let stack: TestStack;
let edge: Edge;
let saleId: string;
let clicks: number;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  edge = await startEdge({ apis: hostsOf(stack) });
});
afterAll(async () => {
  await edge?.stop();
  await stack?.stop();
});
beforeEach(openSale);

/** Opens another sale for the next clicks. */
async function openSale(): Promise<void> {
  clicks = 0;
  saleId = await stack.createSale({ units: 20_000 });
}

/** A click. Every second buyer asks to wait for the order, and is to be answered as soon as the others. */
function click(number: number): HonestRequest {
  clicks = number;
  const authorization = `Bearer ${stack.token(`${saleId}-${number}`)}`;
  const wait = number % 2 === 0 ? { prefer: 'wait=20' } : {};
  return { method: 'POST', path: `/buy/${saleId}`, headers: { authorization, ...wait } };
}

/** Waits until that many more clicks were sent. */
async function moreClicks(count: number): Promise<void> {
  const wanted = clicks + count;
  await eventually(() => expect(clicks).toBeGreaterThanOrEqual(wanted));
}

function api(index: 0 | 1): Killable {
  return stack.apis[index] as Killable;
}

function signal(index: 0 | 1, name: NodeJS.Signals): void {
  process.kill(api(index).pid() ?? Number.NaN, name);
}

/** Expects that every click got a claim, and that Redis and Postgres have these claims and no others. */
async function expectAllWon({ sent, failed, statuses, claimIds }: Tally): Promise<void> {
  // 200: nginx repeated the click, and the second API answered with the claim that the first one made.
  const { 200: repeated = 0, 202: won = 0 } = statuses;
  expect({ failed, answered: repeated + won }).toEqual({ failed: {}, answered: sent });
  expect(sent).toBeGreaterThanOrEqual(HONEST_MIN);
  expect(new Set(claimIds).size).toBe(sent);
  const claims = await stack.connections.redis.hvals(keysOf(saleId).claims);
  expect(claims.map(claim => claim.split(' ')[0]).sort()).toEqual([...claimIds].sort());
  await eventually(async () => {
    const orders = await stack.connections.db.order.findMany({ where: { saleId }, select: { id: true } });
    expect(orders.map(({ id }) => id).sort()).toEqual([...claimIds].sort());
  });
  expect((await stack.audit(saleId)).violations).toEqual([]);
}

describe('every click is answered, and every claim becomes an order, while an API', () => {
  test('is killed and comes back', async () => {
    const fault = async () => {
      await moreClicks(50);
      await api(0).kill9();
      await moreClicks(150);
      await api(0).restart();
      await moreClicks(50);
    };
    await expectAllWon(await honestDuring(edge.url, click, fault()));
  });

  test('is stopped and comes back', async () => {
    const fault = async () => {
      await moreClicks(50);
      await api(1).stop();
      await moreClicks(150);
      await api(1).restart();
      await moreClicks(50);
    };
    await expectAllWon(await honestDuring(edge.url, click, fault()));
  });

  test('is frozen: the clicks are answered while it is', async () => {
    const fault = async () => {
      await moreClicks(50);
      signal(1, 'SIGSTOP');
      await moreClicks(FROZEN_CLICKS);
      signal(1, 'SIGCONT');
      await moreClicks(50);
    };
    await expectAllWon(await honestDuring(edge.url, click, fault()));
  });

  test('is replaced, and the other one right after it', async () => {
    const fault = async () => {
      await moreClicks(50);
      await api(0).restart();
      await api(1).restart();
      await moreClicks(50);
    };
    await expectAllWon(await honestDuring(edge.url, click, fault()));
  });
});

test('while no API runs, a browser keeps the page and a click gets 503; then a click wins at once', async () => {
  const page = () => sendRaw(edge.port, rawRequest(`GET /s/${saleId} HTTP/1.1`, 'Accept: text/html,*/*;q=0.8'));
  expect((await page()).status).toBe(200);
  await Promise.all(stack.apis.map(api => api.kill9()));
  for (let i = 0; i < 3; i++) {
    expect(await page()).toMatchObject({ status: 200, body: expect.stringContaining('<main>') });
    expect((await fetch(`${edge.url}/buy/${saleId}`, { method: 'POST' })).status).toBe(503);
  }
  await Promise.all(stack.apis.map(api => api.restart()));
  const { path, ...first } = click(1);
  expect((await fetch(edge.url + path, first)).status).toBe(202);
});

describe('a hidden sale', () => {
  const SECOND_MS = 1_000;
  const PACE_MS = 25;
  /** In the middle of a second, as nginx keeps an answer for the rest of its second. */
  const soon = () => (Math.ceil(Date.now() / SECOND_MS) + 3.5) * SECOND_MS;

  const seen = async (path: string, method = 'GET') => {
    const atMs = Date.now();
    const headers = { authorization: `Bearer ${stack.token('ann')}` };
    const response = await fetch(edge.url + path, { method, headers });
    const named = Object.fromEntries(response.headers);
    for (const one of ['date', 'x-request-id']) delete named[one];
    return { atMs, endedAtMs: Date.now(), answer: [response.status, named, await response.text()] };
  };

  test('is like a sale that does not exist until it is announced, and is there from the next second on', async () => {
    const announceAtMs = soon();
    const hidden = await stack.createSale({ units: 5, announceAtMs, opensInSeconds: 600 });
    // The APIs say 404 once a worker has compared all sales.
    await eventually(async () => expect((await seen('/sales/nowhere')).answer[0]).toBe(404));
    let early = 0;
    for (;;) {
      // nginx answers 100 questions of one address a second.
      await setTimeout(PACE_MS);
      const unknown = await seen('/sales/nowhere');
      const sale = await seen(`/sales/${hidden}`);
      if (sale.endedAtMs < announceAtMs) {
        early += 1;
        expect(sale.answer).toEqual(unknown.answer);
      }
      if (Math.floor(sale.atMs / SECOND_MS) > Math.floor(announceAtMs / SECOND_MS)) {
        expect(sale.answer[0]).toBe(200);
        break;
      }
    }
    expect(early).toBeGreaterThan(10);
  });

  test('answers a click, a poll and a draw like a sale that does not exist', async () => {
    const hidden = await stack.createSale({ units: 5, announceAtMs: Date.now() + 300_000, opensInSeconds: 600 });
    await eventually(async () => expect((await seen('/sales/nowhere')).answer[0]).toBe(404));
    const calls = [
      ['POST', '/buy/'],
      ['GET', '/order-status/'],
      ['GET', '/draws/'],
      ['POST', '/pay/'],
      ['GET', '/s/'],
    ];
    for (const [method, path] of calls) {
      expect((await seen(path + hidden, method)).answer).toEqual((await seen(`${path}nowhere`, method)).answer);
    }
  });
});

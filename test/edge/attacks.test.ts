import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SECOND_MS } from '#core/rules/clock.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { type Edge, startEdge } from './rig/edge.js';
import { HONEST_MIN, type HonestRequest, honestDuring } from './rig/honest.js';

// One client attacks, and honest clients send requests at the same time. nginx runs with the project's own files, in front
// of two APIs.

/** The sockets of one attacker. On many machines a process may have 20,000 open files, and each socket is two of them here. */
const IDLE_SOCKETS = 5_000;

let stack: TestStack;
let edge: Edge;
let saleId: string;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2, env: { PAYMENT_WEBHOOK_SECRETS: 'whsec_of_at_least_32_characters_long' } });
  saleId = await stack.createSale({ units: 20_000 });
  edge = await startEdge({ apis: stack.baseUrls.map(url => new URL(url).host) });
});
afterAll(async () => {
  await edge?.stop();
  await stack?.stop();
});

/** Creates a request of an honest client with a token of its own: read the sale, click, poll, or load the page. */
function honest(number: number): HonestRequest {
  const headers = { authorization: `Bearer ${stack.token(`honest-${number}`)}` };
  const requests: HonestRequest[] = [
    { method: 'GET', path: `/sales/${saleId}` },
    { method: 'POST', path: `/buy/${saleId}`, headers },
    { method: 'GET', path: `/order-status/${saleId}`, headers },
    { method: 'GET', path: `/s/${saleId}` },
    { method: 'GET', path: '/healthz' },
  ];
  return requests[number % requests.length] as HonestRequest;
}

async function expectNobodyHarmed(attack: Promise<unknown>): Promise<void> {
  const { sent, failed, statuses } = await honestDuring(edge.url, honest, attack);
  expect(sent).toBeGreaterThanOrEqual(HONEST_MIN);
  expect({ failed, refused: statuses[429] ?? 0 }).toEqual({ failed: {}, refused: 0 });
}

/** The attacker's address is none of an honest client. */
const ATTACKER = { 'x-forwarded-for': '192.0.2.1' };

async function send(path: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(edge.url + path, { headers: { ...ATTACKER, ...headers } });
  await answer.arrayBuffer();
  return answer.status;
}

describe('nobody else is harmed by', () => {
  test('long odd paths, eight a second', async () => {
    const statuses = new Set<number>();
    const attack = async () => {
      for (let i = 0; i < 60; i++) {
        const path = `${['/sales/', '/assets/', '/s/'][i % 3]}${'x'.repeat(3_000 + 10 * (i % 45))}`;
        statuses.add(await send(path));
        await setTimeout(SECOND_MS / 8);
      }
    };
    await expectNobodyHarmed(attack());
    expect([...statuses].filter(status => ![200, 400, 404].includes(status))).toEqual([]);
  });

  test('long-polls on a path in other letter case', async () => {
    const full = await stack.createSale({ units: 1, standbyFactor: 5 });
    await stack.buy('first', full);
    await stack.buy('waiter', full);
    const headers = { authorization: `Bearer ${stack.token('waiter')}`, prefer: 'wait=12' };
    const polls = Promise.all(Array.from({ length: 6 }, () => send(`/ORDER-STATUS/${full}`, headers)));
    await expectNobodyHarmed(polls);
    expect(new Set(await polls)).toEqual(new Set([404]));
    // With the right spelling the same request waits as long as it asks for.
    const startedAt = performance.now();
    expect(await send(`/order-status/${full}`, headers)).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(11 * SECOND_MS);
  });

  test('junk in Authorization, another one with each request', async () => {
    const attack = async () => {
      for (let i = 0; i < 60; i++) {
        const junk = Array.from({ length: 50 }, (_, j) =>
          send('/order-status/x', {
            authorization: `Bearer ${'j'.repeat(6_000)}${i}-${j}`,
            'x-forwarded-for': `192.0.2.${j}`,
          }),
        );
        await Promise.all(junk);
      }
    };
    await expectNobodyHarmed(attack());
  });

  test('thousands of idle sockets', async () => {
    const sockets: Socket[] = [];
    const attack = async () => {
      while (sockets.length < IDLE_SOCKETS) sockets.push(...(await idleSockets(250)));
    };
    try {
      await expectNobodyHarmed(attack());
      expect(sockets.length).toBe(IDLE_SOCKETS);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('bodies that come byte by byte: each is answered and closed within a total time', async () => {
    const startedAt = performance.now();
    const buyer = `Authorization: Bearer ${stack.token('slow')}\r\nContent-Length: 1000\r\n`;
    const calls = [`POST /buy/${saleId}`, `POST /pay/${saleId}`, 'POST /webhooks/payments/signed-webhook'];
    const drip = async () => {
      const answers = await Promise.all(
        Array.from({ length: 150 }, (_, i) =>
          slowly(`${calls[i % calls.length]} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n${buyer}\r\n`),
        ),
      );
      // The API answers a buyer without waiting for the body. It waits for the body of a provider, for a bounded time.
      expect(answers.map(statusOf).filter(status => ![200, 202, 408, 409].includes(status))).toEqual([]);
      expect(answers.filter(answer => /^HTTP\/1\.1 408 .*problem\+json.*request_timeout/s.test(answer))).toHaveLength(
        50,
      );
    };
    await expectNobodyHarmed(drip());
    expect(performance.now() - startedAt).toBeLessThan(30 * SECOND_MS);
  });
});

/** @returns the sockets, open and idle after an answer each */
async function idleSockets(count: number): Promise<Socket[]> {
  const open = Array.from({ length: count }, async (_, i) => {
    const socket = connect(edge.port, '127.0.0.1');
    socket.on('error', () => undefined); // its end is looked at instead
    await once(socket, 'connect');
    socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.${i % 100}.7\r\n\r\n`);
    await once(socket, 'data');
    return socket;
  });
  return Promise.all(open);
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

/** Sends a beginning, then a byte every half second. @returns what came back until the connection was closed */
function slowly(beginning: string): Promise<string> {
  return new Promise(resolve => {
    let answer = '';
    let dripping: NodeJS.Timeout | undefined;
    const socket = connect(edge.port, '127.0.0.1', () => {
      socket.write(beginning);
      dripping = setInterval(() => socket.write('x'), SECOND_MS / 2);
    });
    socket.on('data', chunk => {
      answer += chunk;
    });
    socket.on('error', () => undefined); // the end that is awaited
    socket.on('close', () => {
      clearInterval(dripping);
      resolve(answer);
    });
  });
}

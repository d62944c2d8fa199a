import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SECOND_MS } from '#core/rules/clock.js';
import { eventually } from '../support/eventually.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { type Edge, hostsOf, startEdge } from './rig/edge.js';
import { createHonest, expectNobodyHarmed, type HonestRequest } from './rig/honest.js';

// One client attacks, and honest clients send requests at the same time. nginx runs with the project's own files, in front
// of two APIs. `npm test` leaves these tests out; `npm run test:edge` runs them.

/** The sockets of one attacker. On many machines a process may have 20,000 open files, and each socket is two of them here. */
const IDLE_SOCKETS = 5_000;
/** A flood lasts for this long, in ms. */
const FLOOD_MS = 4 * SECOND_MS;

let stack: TestStack;
let edge: Edge;
let honest: (number: number) => HonestRequest;
let saleId: string;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2, env: { PAYMENT_WEBHOOK_SECRETS: 'whsec_of_at_least_32_characters_long' } });
  saleId = await stack.createSale({ units: 20_000 });
  honest = createHonest(stack, saleId);
  edge = await startEdge({ apis: hostsOf(stack) });
});
afterAll(async () => {
  await edge?.stop();
  await stack?.stop();
});

/** Repeats requests of one attacker until the flood is over. */
async function flood(senders: number, send: (sender: number) => Promise<unknown>): Promise<void> {
  const endsAt = performance.now() + FLOOD_MS;
  const repeat = async (_: unknown, sender: number) => {
    while (performance.now() < endsAt) await send(sender);
  };
  await Promise.all(Array.from({ length: senders }, repeat));
}

/** Sends a request from the attacker's address, which no honest client has. */
async function send(path: string, init: RequestInit = {}): Promise<number> {
  const headers = { 'x-forwarded-for': '192.0.2.1', ...(init.headers as Record<string, string>) };
  const answer = await fetch(edge.url + path, { ...init, headers });
  await answer.arrayBuffer();
  return answer.status;
}

/** Sends a text over a socket of its own, and returns the answers until nginx closes the socket. */
function sendText(text: string, then: (socket: Socket) => void = () => undefined): Promise<string> {
  return new Promise(resolve => {
    let answer = '';
    const socket = connect(edge.port, '127.0.0.1', () => {
      socket.write(text);
      then(socket);
    });
    socket.on('data', chunk => {
      answer += chunk;
    });
    socket.on('error', () => undefined); // the end that is awaited
    socket.on('close', () => resolve(answer));
  });
}

function head(line: string, ...headers: string[]): string {
  return [line, 'Host: x', 'X-Forwarded-For: 192.0.2.1', ...headers, '', ''].join('\r\n');
}

/** Returns a signature of the right form and age, which is not right. */
function forgedSignature(): string {
  return `t=${Math.floor(Date.now() / SECOND_MS)},v1=${'0'.repeat(64)}`;
}

/** Opens a socket that is idle after its answer, which is added to the statuses. */
async function openIdleSocket(number: number, statuses: number[]): Promise<Socket> {
  const socket = connect(edge.port, '127.0.0.1');
  socket.on('error', () => undefined); // its end is looked at instead
  await once(socket, 'connect');
  socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.${number % 100}.7\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  statuses.push(Number(/^HTTP\/1\.1 (\d{3}) /.exec(String(answer))?.[1]));
  return socket;
}

function openIdleSockets(count: number, statuses: number[] = []): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => openIdleSocket(number, statuses)));
}

/** Stops both APIs or continues them, as a machine does that has too much to do. */
function signalApis(signal: NodeJS.Signals): void {
  for (const api of stack.apis) process.kill(api.pid() ?? Number.NaN, signal);
}

describe('no honest client is harmed by', () => {
  test('junk in Authorization, another one with each request', async () => {
    const junk = async (requests: number) => {
      for (let sent = 0; sent < requests; sent += 50) {
        const some = Array.from({ length: 50 }, (_, i) => {
          const authorization = `Bearer ${'j'.repeat(1_500)}${sent}-${i}`;
          return send('/order-status/x', { headers: { authorization, 'x-forwarded-for': `192.0.2.${i}` } });
        });
        await Promise.all(some);
      }
    };
    // These fill a table of 20 MB with whole keys. Later ones free half a page each, which is no room for another key.
    await junk(12_000);
    await expectNobodyHarmed(edge.url, honest, junk(3_000));
  }, 60_000);

  test('thousands of idle sockets', async () => {
    const sockets: Socket[] = [];
    const attack = async () => {
      while (sockets.length < IDLE_SOCKETS) sockets.push(...(await openIdleSockets(250)));
    };
    try {
      await expectNobodyHarmed(edge.url, honest, attack());
      expect(sockets.length).toBe(IDLE_SOCKETS);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('idle sockets that came while no API got to answer, from the moment that the APIs answer again', async () => {
    const statuses: number[] = [];
    signalApis('SIGSTOP');
    const opening = openIdleSockets(500, statuses);
    try {
      // Each API has failed several requests by then. An nginx that holds this against them would leave them alone.
      await eventually(() => expect(statuses.filter(status => status === 503).length).toBeGreaterThanOrEqual(50));
    } finally {
      signalApis('SIGCONT');
    }
    try {
      await expectNobodyHarmed(edge.url, honest, opening);
    } finally {
      for (const socket of await opening) socket.destroy();
    }
  });

  test('bodies that come byte by byte: each is answered and closed within a total time', async () => {
    const startedAt = performance.now();
    const buyer = `Authorization: Bearer ${stack.token('slow')}`;
    const calls = [`POST /buy/${saleId}`, `POST /pay/${saleId}`, 'POST /webhooks/payments/signed-webhook'];
    // Without a signature that may be right, the API refuses an event before its body.
    const signed = `Dropline-Signature: ${forgedSignature()}`;
    const drip = (socket: Socket) => {
      const dripping = setInterval(() => socket.write('x'), SECOND_MS / 2);
      socket.on('close', () => clearInterval(dripping));
    };
    const attack = async () => {
      const answers = await Promise.all(
        Array.from({ length: 150 }, (_, i) =>
          sendText(head(`${calls[i % calls.length]} HTTP/1.1`, buyer, signed, 'Content-Length: 1000'), drip),
        ),
      );
      const statuses = answers.map(answer => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]));
      // The API answers a buyer without waiting for the body. It waits for the body of a provider, for a bounded time.
      expect(statuses.filter(status => ![200, 202, 408, 409, 429].includes(status))).toEqual([]);
      const late = answers.filter(answer => /^HTTP\/1\.1 408 .*problem\+json.*request_timeout/s.test(answer));
      expect(late).toHaveLength(50);
    };
    await expectNobodyHarmed(edge.url, honest, attack());
    expect(performance.now() - startedAt).toBeLessThan(30 * SECOND_MS);
  }, 60_000);

  test('bodies that are broken off', async () => {
    const breakOff = (socket: Socket) => setImmediate(() => socket.destroy());
    const text = head('POST /webhooks/payments/signed-webhook HTTP/1.1', 'Content-Length: 60000');
    const attack = flood(10, () => sendText(`${text}${'x'.repeat(1_000)}`, breakOff));
    await expectNobodyHarmed(edge.url, honest, attack);
  });

  test('forged events of 60 kB', async () => {
    const headers = { 'dropline-signature': forgedSignature() };
    const body = 'x'.repeat(60_000);
    const attack = flood(10, sender => {
      const from = { 'x-forwarded-for': `192.0.2.${sender}` };
      return send('/webhooks/payments/signed-webhook', { method: 'POST', headers: { ...headers, ...from }, body });
    });
    await expectNobodyHarmed(edge.url, honest, attack);
  });

  test('one buyer who clicks without a pause', async () => {
    const headers = { authorization: `Bearer ${stack.token('greedy')}` };
    const attack = flood(20, () => send(`/buy/${saleId}`, { method: 'POST', headers }));
    await expectNobodyHarmed(edge.url, honest, attack);
  });

  test('clicks that are sent ahead on 20 sockets, whose answers nobody reads', async () => {
    const click = head(
      `POST /buy/${saleId} HTTP/1.1`,
      `Authorization: Bearer ${stack.token('ahead')}`,
      'Content-Length: 0',
    );
    const sockets: Socket[] = [];
    const attack = async () => {
      for (let i = 0; i < 20; i++) {
        const socket = connect(edge.port, '127.0.0.1', () => socket.write(click.repeat(20_000)));
        socket.on('error', () => undefined); // nginx may cut it off
        socket.pause();
        sockets.push(socket);
      }
      await setTimeout(FLOOD_MS);
    };
    try {
      await expectNobodyHarmed(edge.url, honest, attack());
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('hundreds of streams of one buyer', async () => {
    const full = await stack.createSale({ units: 1, standbyFactor: 5 });
    await stack.buy('first', full);
    await stack.buy('many', full);
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${stack.token('many')}`, accept: 'text/event-stream' };
    const open = async (_: unknown, i: number) => {
      const own = { ...headers, 'x-forwarded-for': `192.0.2.${i % 50}` };
      await fetch(`${edge.url}/order-status/${full}`, { headers: own, signal: leaving.signal });
    };
    const attack = async () => {
      await Promise.all(Array.from({ length: 500 }, open));
      // One change wakes all of them.
      await stack.cancel('many', full);
    };
    try {
      await expectNobodyHarmed(edge.url, honest, attack());
    } finally {
      leaving.abort();
    }
  });
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from 'undici';
import { problemBody } from '#core/rules/errors.js';
import { eventually } from '../support/eventually.js';
import { type Edge, startEdge } from './rig/edge.js';
import { empty, type Recorder, startRecorder } from './rig/recorder.js';

// The limits of one client: each address has one, within which nothing is held back.

/** A client that is served at once sends this many requests in a few seconds, so it is above 500 and 100 a second. */
const ASKS = 1_500;
/** Above 100 and 20 a second. */
const CLICKS = 300;
/** A client may have 200 connections. */
const SENDERS = 50;
const TOO_MANY = 429;

let api: Recorder;
let edge: Edge;

beforeAll(async () => {
  api = await startRecorder();
  edge = await startEdge({ apis: [api.host, api.host] });
});
afterAll(async () => {
  await edge?.stop();
  await api?.stop();
});

/** How a client asks. */
interface Asking {
  method: 'GET' | 'POST';
  path: string;
  /** The client's address. */
  client: string;
  headers?: Record<string, string>;
}

/** Sends requests of one client up to the first that is refused, each sender one after the other. Returns whether one was. */
async function isRefused({ method, path, client, headers }: Asking, most: number): Promise<boolean> {
  const agent = new Agent({ connections: SENDERS });
  let sent = 0;
  let refused = false;
  const sender = async () => {
    while (!refused && sent < most) {
      sent += 1;
      const answer = await agent.request({
        origin: edge.url,
        path,
        method,
        headers: { 'x-forwarded-for': client, ...headers },
      });
      await answer.body.dump();
      if (answer.statusCode === TOO_MANY) refused = true;
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  await agent.close();
  return refused;
}

test.each([
  ['GET', '/order-status/x', {}],
  ['GET', '/order-status/x', { prefer: 'wait=1' }],
  ['GET', '/sales/x', {}],
  ['GET', '/s/x', {}],
  ['GET', '/assets/page.0123456789.js', {}],
  ['POST', '/webhooks/payments/x', {}],
  ['GET', '/openapi.json', {}],
  ['POST', '/pay/x', {}],
  ['GET', '/nowhere', { accept: 'text/html' }],
] as const)(
  'a client that sends %s %s with %j too fast is refused, and not held back',
  async (method, path, headers) => {
    const client = `192.0.2.${1 + [...path, ...Object.keys(headers)].join('').length}`;
    expect(await isRefused({ method, path, client, headers }, ASKS)).toBe(true);
  },
);

test.each([
  ['clicks', '/buy/x', '192.0.2.200'],
  ['asks for passes', '/pass/x', '192.0.2.202'],
])('a client that %s too fast is refused, and not held back', async (_, path, client) => {
  expect(await isRefused({ method: 'POST', path, client }, CLICKS)).toBe(true);
});

test('a client that asks for too many passes may still click', async () => {
  const client = '192.0.2.203';
  expect(await isRefused({ method: 'POST', path: '/pass/x', client }, CLICKS)).toBe(true);
  expect(await isRefused({ method: 'POST', path: '/buy/x', client }, 1)).toBe(false);
});

test('a client with more than 200 connections is refused', async () => {
  const held: (() => void)[] = [];
  api.answer = (_, res) => void held.push(() => res.end());
  const headers = { 'x-forwarded-for': '192.0.2.201', prefer: 'wait=1' };
  const waits = Array.from({ length: 210 }, () => fetch(`${edge.url}/order-status/x`, { headers }));
  const refusal = await Promise.race(waits);
  expect([refusal.status, await refusal.clone().json()]).toEqual([TOO_MANY, problemBody('too_many_requests')]);
  await eventually(() => expect(held.length).toBeGreaterThanOrEqual(200), 20_000);
  api.answer = empty;
  for (const end of held) end();
  await Promise.all(waits.map(async wait => (await wait).arrayBuffer()));
});

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Edge, startEdge } from './rig/edge.js';

// The headers that reach an API, here a server that writes them down. A location with a header of its own inherits none.

const arrived: IncomingHttpHeaders[] = [];
const api = createServer((req, res) => {
  arrived.push(req.headers);
  res.end();
});
let edge: Edge;

beforeAll(async () => {
  await once(api.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(api.address() as AddressInfo).port}`;
  edge = await startEdge({ apis: [host, host] });
});
afterAll(async () => {
  await edge?.stop();
  api.closeAllConnections();
  await once(api.close(), 'close');
});

const ID = 'request-0123456789';

test.each<[string, string, Record<string, string>]>([
  ['POST', '/buy/x', {}],
  ['POST', '/pass/x', {}],
  ['GET', '/order-status/x', {}],
  ['GET', '/order-status/x', { prefer: 'wait=1' }],
  ['GET', '/order-status/x', { accept: 'text/event-stream' }],
  ['GET', '/sales/x', {}],
  ['GET', '/s/x', {}],
  ['GET', '/assets/page.0123456789.js', {}],
  ['POST', '/webhooks/payments/x', {}],
  ['GET', '/openapi.json', {}],
  ['POST', '/pay/x', {}],
  ['GET', '/nowhere', { accept: 'text/html' }],
])('an API that gets %s %s with %j knows host, client and id, and keeps the connection', async (method, path, more) => {
  const before = arrived.length;
  // The rig takes the last address for the one from which the client comes.
  const headers = { 'x-request-id': ID, 'x-forwarded-for': '192.0.2.66, 192.0.2.7', ...more };
  await (await fetch(edge.url + path, { method, headers })).arrayBuffer();
  expect(arrived.slice(before)).toMatchObject([
    {
      host: new URL(edge.url).host,
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'http',
      'x-request-id': ID,
    },
  ]);
  expect(arrived.at(-1)?.connection).not.toBe('close');
});

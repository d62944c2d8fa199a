import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { SECOND_MS } from '#core/rules/clock.js';
import { freePort } from '#stack/processes/free-port.js';
import { startProcess } from '#stack/processes/process.js';
import { build } from '../../support/build.js';
import { ADMIN_TOKEN, AUTH_SECRET } from '../../support/http/admin.js';
import { useStores } from '../../support/stores/stores.js';

// Bad input that comes 200 times in about a second. Each kind may be worth a line, and none a line each time.

const stores = useStores();

beforeAll(() => build());

const TIMES = 200;
const LINES_PER_SECOND = 2;

/** Requests that are wrong in other ways, as they go over the wire. The body of the last kind is broken off. */
const API_REQUESTS = [
  'POST /buy/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\n\r\n',
  'GET /order-status/%00 HTTP/1.1\r\nHost: x\r\n\r\n',
  'nonsense\r\n\r\n',
  'POST /webhooks/payments/signed-webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
  'POST /webhooks/payments/signed-webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{',
];
const ADMIN_REQUESTS = [
  'GET /sales HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer wrong\r\n\r\n',
  'GET /sales HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: dropline_admin=a.b.c\r\n\r\n',
  'POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ntoken=x',
  'POST /sales/x/pause HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{',
  'POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nt',
];

/** Sends a request, and leaves after the first bytes of the answer, or at once if its body is not whole. */
async function sendAndLeave(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise<void>(resolve => socket.write(text, () => resolve()));
  if (!text.includes('Content-Length: 9')) await once(socket, 'data');
  socket.destroy();
}

/** Counts the lines that a process logs about bad requests. Stopping it brings its last line. */
async function linesPerSecond(name: 'api' | 'admin', requests: readonly string[]): Promise<number> {
  const port = await freePort();
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = stores;
  const ports = { PORT: `${port}`, ADMIN_PORT: `${port}` };
  const keys = { AUTH_SECRET, ADMIN_TOKEN, PAYMENT_WEBHOOK_SECRETS: 'a key of the provider' };
  const environment = { HOST: '127.0.0.1', REDIS_URL, DATABASE_URL, ...ports, ...keys };
  const process = await startProcess({ name, environment, ready: { url: `http://127.0.0.1:${port}/readyz` } });
  const before = process.output().split('\n').length;
  const startedAt = performance.now();
  const all = Array.from({ length: TIMES }, (_, index) => requests[index % requests.length] ?? '');
  await Promise.all(all.map(text => sendAndLeave(port, text)));
  await process.stop();
  // A busy process may read the last requests while it ends.
  const seconds = Math.ceil((performance.now() - startedAt) / SECOND_MS);
  const lines = process
    .output()
    .split('\n')
    .slice(before - 1);
  return lines.filter(line => line !== '' && !/"msg":"(ending|ended)"/.test(line)).length / seconds;
}

test('the API logs at most two lines a second about 200 bad requests', async () => {
  expect(await linesPerSecond('api', API_REQUESTS)).toBeLessThanOrEqual(LINES_PER_SECOND);
});

test('the admin logs at most two lines a second about 200 bad requests', async () => {
  expect(await linesPerSecond('admin', ADMIN_REQUESTS)).toBeLessThanOrEqual(LINES_PER_SECOND);
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ask } from '../../../apps/web/scripts/api.js';

type Call = Parameters<typeof ask>[0];

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const OFFLINE = { ok: false, status: 0, code: 'offline', retryAfterMs: 0 };

const server = createServer();
const fetchAnywhere = globalThis.fetch;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // A browser completes an address by that of the page.
  globalThis.fetch = (path, options) => fetchAnywhere(origin + path, options);
});
afterAll(async () => {
  globalThis.fetch = fetchAnywhere;
  server.closeAllConnections();
  await once(server.close(), 'close');
});
// The server and its connections are outside of the fake time.
beforeEach(() => void jest.useFakeTimers({ now: NOW_MS, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => void jest.useRealTimers());

/** Waits for the request of a call, and returns it with its answer to fill in. */
async function requestOf(
  asked: ReturnType<typeof ask>,
): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  const early = asked.then(answer => Promise.reject(new Error(`${JSON.stringify(answer)} without a request`)));
  early.catch(() => undefined); // A call that sends its request is answered later.
  const [request, response] = await Promise.race([once(server, 'request'), early]);
  return { request, response };
}

/** An answer of the API. */
interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

const send = (response: ServerResponse, { status = 200, headers = {}, body = '{}' }: Reply = {}) =>
  void response.writeHead(status, headers).end(body);

/** Calls the API, which gives the reply. Returns the request that arrives, and the answer for the page. */
async function exchange(reply: Reply, call: Call = 'sale', about: Parameters<typeof ask>[2] = {}) {
  const asked = ask(call, 'x', about);
  const { request, response } = await requestOf(asked);
  send(response, reply);
  return { request, answer: await asked };
}

const answerTo = async (...args: Parameters<typeof exchange>) => (await exchange(...args)).answer;

describe('a call', () => {
  test.each<[Call, string, string]>([
    ['sale', 'GET', '/sales/x'],
    ['buy', 'POST', '/buy/x'],
    ['status', 'GET', '/order-status/x?receipt=a%26b'],
    ['pay', 'POST', '/pay/x'],
    ['cancel', 'POST', '/cancel/x'],
    ['token', 'POST', '/guest-token'],
  ])('for %s is a %s of %s', async (call, method, url) => {
    const { request } = await exchange({}, call, { receipt: 'a&b' });
    expect([request.method, request.url]).toEqual([method, url]);
  });

  test('for a status without a receipt has no query', async () => {
    expect((await exchange({}, 'status')).request.url).toBe('/order-status/x');
  });

  test('takes a kept answer for a sale only', async () => {
    const asksForFresh = async (call: Call) => (await exchange({}, call)).request.headers['cache-control'];
    expect(await asksForFresh('sale')).toBeUndefined();
    expect(await asksForFresh('status')).toBe('no-cache');
    expect(await asksForFresh('buy')).toBe('no-cache');
  });

  test('with a known status waits up to 20 s for another one, and a call without it does not wait', async () => {
    const { request } = await exchange({}, 'status', { known: '"7"' });
    expect(request.headers).toMatchObject({ prefer: 'wait=20', 'if-none-match': '"7"' });
    const { headers } = (await exchange({}, 'status')).request;
    expect([headers.prefer, headers['if-none-match']]).toEqual([undefined, undefined]);
  });
});

describe('patience', () => {
  test.each([
    ['10 s', {}, 10_000],
    ['10 s beside a wait of 20 s', { known: '"7"' }, 30_000],
  ])('ends after %s', async (_, about, limitMs) => {
    const answered = ask('status', 'x', about);
    const { response } = await requestOf(answered);
    jest.advanceTimersByTime(limitMs - 1);
    send(response);
    expect(await answered).toMatchObject({ ok: true });

    const unanswered = ask('status', 'x', about);
    const late = await requestOf(unanswered);
    jest.advanceTimersByTime(limitMs);
    send(late.response);
    expect(await unanswered).toEqual(OFFLINE);
  });

  test('ends with the signal', async () => {
    const leaving = new AbortController();
    const asked = ask('status', 'x', { known: '"7"', signal: leaving.signal });
    const { response } = await requestOf(asked);
    leaving.abort();
    send(response);
    expect(await asked).toEqual(OFFLINE);
  });
});

describe('an answer', () => {
  test('has the body, its tag and its age in a cache', async () => {
    const reply = { headers: { etag: '"8"', age: '3' }, body: '{"status":"paid"}' };
    expect(await answerTo(reply)).toEqual({
      ok: true,
      body: { status: 'paid' },
      ageSeconds: 3,
      etag: '"8"',
      waits: true,
    });
  });

  test('without headers is fresh, and has no tag', async () => {
    expect(await answerTo({})).toEqual({ ok: true, body: {}, ageSeconds: 0, waits: true });
  });

  test('that was to wait tells whether it did', async () => {
    const known = { known: '"7"' };
    const applied = { headers: { 'preference-applied': 'wait=20' } };
    expect(await answerTo(applied, 'status', known)).toMatchObject({ waits: true });
    expect(await answerTo({}, 'status', known)).toMatchObject({ waits: false });
  });

  test('that is a refusal has its code and the opening', async () => {
    const body = JSON.stringify({ code: 'not_open', opensAt: '2030-01-02T00:00:00Z' });
    expect(await answerTo({ status: 409, body }, 'buy')).toEqual({
      ok: false,
      status: 409,
      code: 'not_open',
      retryAfterMs: 0,
      opensAt: '2030-01-02T00:00:00Z',
    });
  });

  test('that is the page of a proxy has no code', async () => {
    const body = '<h1>Bad gateway</h1>';
    expect(await answerTo({ status: 502, body })).toEqual({ ok: false, status: 502, code: '', retryAfterMs: 0 });
  });

  test.each([
    ['7', 7_000],
    ['120', 120_000],
    ['Tue, 01 Jan 2030 00:00:30 GMT', 30_000],
    ['Mon, 31 Dec 2029 23:59:00 GMT', 0],
    ['later', 0],
  ])('with Retry-After: %s asks for a pause of %i ms', async (value, retryAfterMs) => {
    expect(await answerTo({ status: 503, headers: { 'retry-after': value } })).toMatchObject({ retryAfterMs });
  });
});

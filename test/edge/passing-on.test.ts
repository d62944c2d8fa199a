import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Edge, startEdge } from './rig/edge.js';
import { expectPage, expectProblem } from './rig/own-answers.js';
import { rawRequest, sendRaw } from './rig/raw.js';
import { type Answer, empty, type Recorder, say, startRecorder } from './rig/recorder.js';

// The requests that nginx passes on to an API, and the answers that come back, in front of a server that writes down what arrives.

/** A buyer's page that hears nothing for this long gives up, in ms (apps/web/scripts/api.js). */
const PATIENCE_MS = 10_000;
const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8';

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
beforeEach(() => {
  api.arrived.length = 0;
  api.answer = empty;
});

const get = (path: string, ...headers: string[]) => sendRaw(edge.port, rawRequest(`GET ${path} HTTP/1.1`, ...headers));

describe('a request arrives', () => {
  test.each([
    ['POST', '/buy/x?a=1', {}],
    ['POST', '/pass/x?a=1', {}],
    ['GET', '/order-status/x?receipt=a%2Fb', {}],
    ['GET', '/order-status/x?receipt=a%2Fb', { prefer: 'wait=1' }],
    ['GET', '/order-status/x?receipt=a%2Fb', { accept: 'text/event-stream' }],
    ['GET', '/sales//x', {}],
    ['POST', '/pay/x', {}],
    ['GET', '/nowhere?a=1', { accept: HTML }],
    ['GET', '/x/problems/unavailable.stream', {}],
  ])('%s %s with %j with its path and query', async (method, path, headers) => {
    await (await fetch(edge.url + path, { method, headers })).arrayBuffer();
    expect(api.arrived.map(({ url, httpVersion }) => [url, httpVersion])).toEqual([[path, '1.1']]);
  });

  // nginx answers a path itself only if the whole path is the same.
  test.each([
    '/metrics/x',
    '/buyers',
    '/passes',
    '/order-statuses',
    '/webhooks.txt',
    '/waiting/order-status/x',
    '/page/asked/x',
  ])('GET %s is no address of nginx itself', async path => {
    await get(path);
    expect(api.arrived.map(({ url }) => url)).toEqual([path]);
  });

  test('as one click that does not wait, whatever it prefers', async () => {
    await fetch(`${edge.url}/buy/x`, { method: 'POST', headers: { prefer: 'wait=5' } });
    expect(api.arrived[0]?.headers.prefer).toBeUndefined();
  });

  test('as a click with its pass', async () => {
    await fetch(`${edge.url}/buy/x`, { method: 'POST', headers: { 'dropline-pass': '1.2.3.4' } });
    expect(api.arrived[0]?.headers['dropline-pass']).toBe('1.2.3.4');
  });

  test('as every single buyer’s request for a pass, with its solution, and no answer is kept', async () => {
    let asked = 0;
    api.answer = (req, res) => {
      asked += 1;
      res.writeHead(200, { 'cache-control': 'no-store' });
      req.on('data', chunk => res.write(`${asked} ${chunk}`)).on('end', () => res.end());
    };
    const ask = async (buyer: string) => {
      const init = { method: 'POST', headers: { authorization: `Bearer ${buyer}` }, body: `solution of ${buyer}` };
      const answer = await fetch(`${edge.url}/pass/x`, init);
      return [await answer.text(), answer.headers.get('cache-control')];
    };
    expect(await ask('ann')).toEqual(['1 solution of ann', 'no-store']);
    expect(await ask('bob')).toEqual(['2 solution of bob', 'no-store']);
  });

  test('while the client still sends its body', async () => {
    const read: string[] = [];
    api.answer = (req, res) => {
      req.on('data', chunk => read.push(String(chunk)));
      req.on('end', () => res.end());
    };
    const sending = request(`${edge.url}/webhooks/payments/x`, {
      method: 'POST',
      headers: { 'content-length': 12 },
    });
    const answered = new Promise<void>(resolve => sending.on('response', res => res.resume().on('end', resolve)));
    sending.write('first ');
    await eventually(() => expect(read.join('')).toBe('first '), PATIENCE_MS);
    sending.end('second');
    await answered;
    expect(read.join('')).toBe('first second');
  });

  test('from a payment provider with up to 64 kB', async () => {
    const post = async (bytes: number) =>
      (await fetch(`${edge.url}/webhooks/payments/x`, { method: 'POST', body: 'x'.repeat(bytes) })).status;
    expect(await post(60_000)).toBe(200);
    expect(await post(70_000)).toBe(413);
    expect(api.arrived).toHaveLength(1);
  });

  test('with headers of 32 kB together, and not with more', async () => {
    const headers = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: ${'x'.repeat(7_000)}`);
    expect((await get('/healthz', ...headers(2))).status).toBe(200);
    expectProblem(await get('/healthz', ...headers(6)), 'headers_too_large');
  });
});

describe('the id of a request', () => {
  const OWN = 'request-0123456789';
  const idsOf = async (path: string, ...headers: string[]) => {
    const answer = await get(path, ...headers);
    return [answer.headers['x-request-id'], api.arrived[0]?.headers['x-request-id']];
  };

  test("is the client's own one, in the answer too, whatever the answer is", async () => {
    expect(await idsOf('/healthz', `X-Request-Id: ${OWN}`)).toEqual([OWN, OWN]);
    api.answer = say(404);
    expect((await get('/healthz', `X-Request-Id: ${OWN}`)).headers['x-request-id']).toBe(OWN);
  });

  test("is in nginx's own answers", async () => {
    expect((await get('/metrics', `X-Request-Id: ${OWN}`)).headers['x-request-id']).toBe(OWN);
  });

  test.each([
    ['none', []],
    ['7 letters', ['X-Request-Id: 1234567']],
    ['65 letters', [`X-Request-Id: ${'x'.repeat(65)}`]],
    ['letters of other kinds in front', [`X-Request-Id: "; ${OWN}`]],
    ['letters of other kinds at the end', [`X-Request-Id: ${OWN} "`]],
  ])('is made if a client sends %s', async (_, headers) => {
    const [answered, arrived] = await idsOf('/healthz', ...headers);
    expect(answered).toMatch(/^[0-9a-f]{32}$/);
    expect(arrived).toBe(answered);
  });
});

describe('an answer', () => {
  test('has no version of nginx', async () => {
    expect((await get('/healthz')).headers.server).toBe('nginx');
  });

  test('may have headers of 12 kB', async () => {
    api.answer = say(200, { 'x-long': 'x'.repeat(12_000) });
    expect((await get('/healthz')).headers['x-long']).toHaveLength(12_000);
  });

  test('tells a second proxy not to hold events back', async () => {
    api.answer = say(200, { 'x-accel-buffering': 'no' });
    expect((await get('/order-status/x')).headers['x-accel-buffering']).toBe('no');
  });

  test.each([
    ['a stream', { accept: 'text/event-stream' }],
    ['a long-poll', { prefer: 'wait=1' }],
  ])('to %s arrives piece by piece', async (_, headers) => {
    let write: ((piece: string) => void) | undefined;
    api.answer = (_req, res) => {
      // Without chunks, nginx sees no end of a piece.
      res.writeHead(200, { 'content-length': 100 });
      write = piece => void res.write(piece);
      write('first');
    };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`${edge.url}/order-status/x`, { headers, signal });
    let read = '';
    // A proxy that buffers passes the beginning on with the headers, and holds the rest back until the end.
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      if (read === '') write?.(' second');
      read += piece;
      if (read === 'first second') break;
    }
    expect(read).toBe('first second');
  });

  test('is whole, also where a client asks for a part', async () => {
    api.answer = say(200, { 'content-type': 'application/json' }, '{"units":1}');
    for (const from of ['the API', 'the cache']) {
      const answer = await fetch(`${edge.url}/sales/ranges`, { headers: { range: 'bytes=0-2' } });
      expect([from, answer.status, await answer.text()]).toEqual([from, 200, '{"units":1}']);
    }
  });

  test('is logged without the query, in which a receipt may be', async () => {
    await get('/order-status/logged?receipt=secret');
    await eventually(() => expect(edge.log().map(({ path }) => path)).toContain('/order-status/logged'), PATIENCE_MS);
  });
});

describe('an error of an API', () => {
  const refuse: Answer = say(405, { allow: 'POST', 'content-type': 'application/problem+json' }, '{}');

  test('becomes a page for a browser, with the methods that the API allows', async () => {
    api.answer = refuse;
    const page = await get('/pay/x', `Accept: ${HTML}`);
    expectPage(page, 'method_not_allowed');
    expect(page.headers.allow).toBe('POST');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test.each([
    ['GET', '*/*'],
    ['POST', HTML],
    ['FORGET', HTML],
  ])('stays as it is for %s with %s', async (method, accept) => {
    api.answer = refuse;
    const request = rawRequest(`${method} /pay/x HTTP/1.1`, `Accept: ${accept}`, 'Content-Length: 0');
    expect((await sendRaw(edge.port, request)).headers['content-type']).not.toBe('text/html; charset=utf-8');
  });

  test('tells a browser what to do', async () => {
    api.answer = say(503, { 'retry-after': '5' });
    expect((await get('/s/never-seen', `Accept: ${HTML}`)).body).toContain('Please load the page again in a moment');
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { PROBLEMS, type ProblemCode, problemBody } from '#core/rules/errors.js';
import { eventually } from '../support/eventually.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { type Edge, type LogLine, startEdge } from './rig/edge.js';
import { type RawAnswer, sendRaw } from './rig/raw.js';

// The answers that nginx gives by itself, and those that it keeps for the crowd.

let stack: TestStack;
let edge: Edge;
let saleId: string;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  saleId = await stack.createSale({ units: 1_000 });
  edge = await startEdge({ apis: stack.baseUrls.map(url => new URL(url).host), web: join(checkout, 'dist/apps/web') });
});
afterAll(async () => {
  await edge?.stop();
  await stack?.stop();
});

function request(line: string, ...headers: string[]): string {
  return [line, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');
}

/** Expects the document that the API itself would send. */
function expectProblem({ status, headers, body }: RawAnswer, code: ProblemCode): void {
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  expect({ status, body: JSON.parse(body) }).toEqual({ status: PROBLEMS[code].status, body: problemBody(code) });
}

function expectPage({ status, headers, body }: RawAnswer, code: ProblemCode): void {
  expect({ status, type: headers['content-type'], options: headers['x-content-type-options'] }).toEqual({
    status: PROBLEMS[code].status,
    type: 'text/html; charset=utf-8',
    options: 'nosniff',
  });
  expect(body).toContain(`<h1>${PROBLEMS[code].title}</h1>`);
  expect(body).not.toMatch(/nginx/i);
}

const REFUSED: [string, string, ProblemCode][] = [
  ['TRACE', request('TRACE / HTTP/1.1'), 'method_not_allowed'],
  ['CONNECT', request('CONNECT / HTTP/1.1'), 'method_not_allowed'],
  ['CONNECT to another host', request('CONNECT example.org:443 HTTP/1.1'), 'invalid_request'],
  [
    'an unknown Transfer-Encoding',
    request('POST /buy/x HTTP/1.1', 'Transfer-Encoding: gzip, chunked'),
    'invalid_request',
  ],
  ['an unknown version of HTTP', request('GET / HTTP/9.9'), 'invalid_request'],
  ['a text that is not HTTP', 'nonsense\r\n\r\n', 'invalid_request'],
  ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 'invalid_request'],
  ['two lengths', request('POST /buy/x HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'), 'invalid_request'],
  ['an address of 9 kB', request(`GET /${'x'.repeat(9_000)} HTTP/1.1`), 'invalid_request'],
  ['a header of 9 kB', request('GET / HTTP/1.1', `X: ${'x'.repeat(9_000)}`), 'headers_too_large'],
  ['a body of 2 kB', request('POST /buy/x HTTP/1.1', 'Content-Length: 2000'), 'body_too_large'],
  [
    'a body for an answer that is the same for all buyers',
    request('GET /sales/x HTTP/1.1', 'Content-Length: 2'),
    'body_too_large',
  ],
  ['metrics', request('GET /metrics HTTP/1.1'), 'not_found'],
  ["nginx's own addresses", request('GET /problems/unavailable.json HTTP/1.1'), 'not_found'],
  ['a wait by its inner address', request('GET /waiting/buy HTTP/1.1'), 'not_found'],
];

describe('nginx refuses as the API does', () => {
  test.each(REFUSED)('%s', async (_name, bytes, code) => {
    expectProblem(await sendRaw(edge.port, bytes), code);
  });

  test('a method that it refuses names those it takes', async () => {
    const { headers } = await sendRaw(edge.port, request('TRACE / HTTP/1.1'));
    expect(headers.allow).toBe('GET, HEAD, POST');
  });

  test('a browser gets a page', async () => {
    const answer = await sendRaw(edge.port, request('GET /metrics HTTP/1.1', 'Accept: text/html,*/*;q=0.8'));
    expectPage(answer, 'not_found');
  });

  test('a client that is too fast learns when to try again', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.9' };
    const answers = await Promise.all(
      Array.from({ length: 160 }, () => fetch(`${edge.url}/buy/x`, { method: 'POST', headers })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(await refused[0]?.json()).toEqual(problemBody('too_many_requests'));
  });

  test('an IPv6 client is its /64', async () => {
    const click = async (address: string) => {
      const headers = { 'x-forwarded-for': address };
      return (await fetch(`${edge.url}/buy/x`, { method: 'POST', headers })).status;
    };
    const inOneNetwork = Array.from({ length: 160 }, (_, i) => `2001:db8:1:1:${i}::1`);
    const inMany = Array.from({ length: 160 }, (_, i) => `2001:db8:1:${1_000 + i}::1`);
    const refused = (statuses: number[]) => statuses.filter(status => status === 429).length;
    expect(refused(await Promise.all(inOneNetwork.map(click)))).toBeGreaterThan(0);
    expect(refused(await Promise.all(inMany.map(click)))).toBe(0);
  });

  test.each(['/ORDER-STATUS/x', '/Sales/x', '/sales/x/', '/order-status/x/', '/sales//x', '/S/x'])(
    '%s is 404 at nginx and at the API',
    async path => {
      for (const url of [edge.url, stack.baseUrl]) {
        const answer = await fetch(url + path);
        expect({ url, status: answer.status, code: ((await answer.json()) as { code?: string }).code }).toEqual({
          url,
          status: 404,
          code: 'not_found',
        });
      }
    },
  );
});

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

function linesOf(saleId: string): LogLine[] {
  return edge.log().filter(({ path }) => path === `/sales/${saleId}`);
}

describe('an answer that is the same for all buyers', () => {
  test('a crowd costs one request a second, and reads nothing older than 2 s', async () => {
    const saleId = await stack.createSale({ units: 1 });
    const startedAt = Date.now();
    const agesMs: number[] = [];
    const person = async (number: number) => {
      while (Date.now() < startedAt + 6 * SECOND_MS || agesMs.length < 300) {
        const sentAt = Date.now();
        const headers = { 'x-forwarded-for': `10.9.${number}.1` };
        const answer = await fetch(`${edge.url}/sales/${saleId}?made-up=${number}`, { headers });
        agesMs.push(sentAt - Date.parse(((await answer.json()) as { serverTime: string }).serverTime));
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, number) => person(number)));
    const seconds = Math.ceil((Date.now() - startedAt) / SECOND_MS) + 1;
    const asked = await eventually(() => {
      const lines = linesOf(saleId);
      expect(lines.length).toBe(agesMs.length);
      return lines.filter(({ upstream }) => upstream !== '');
    });
    expect(asked.length).toBeLessThanOrEqual(seconds);
    expect(Math.max(...agesMs)).toBeLessThan(2 * SECOND_MS);
  });

  test('a crowd that comes as the last answer has expired costs one request, too', async () => {
    const quiet = await stack.createSale({ units: 1 });
    expect((await fetch(`${edge.url}/sales/${quiet}`)).status).toBe(200);
    // An entry is good for a second, by a clock of whole seconds.
    await setTimeout(2 * SECOND_MS);
    const sockets = await Promise.all(Array.from({ length: 100 }, () => connected(edge.port)));
    // All requests arrive before there is an answer.
    for (const api of stack.apis) process.kill(api.pid() ?? Number.NaN, 'SIGSTOP');
    for (const [i, socket] of sockets.entries())
      socket.write(request(`GET /sales/${quiet} HTTP/1.1`, `X-Forwarded-For: 10.8.${i}.1`));
    await setTimeout(SECOND_MS / 4);
    for (const api of stack.apis) process.kill(api.pid() ?? Number.NaN, 'SIGCONT');
    const answers = await Promise.all(sockets.map(socket => text(socket)));
    expect(answers.filter(answer => !answer.startsWith('HTTP/1.1 200 '))).toEqual([]);
    await eventually(() => {
      const lines = linesOf(quiet).slice(1);
      expect(lines.length).toBe(sockets.length);
      // The requests may arrive in two seconds of the clock.
      expect(lines.filter(({ upstream }) => upstream !== '').length).toBeLessThanOrEqual(2);
    });
  });

  test('a sale that is not there is answered once a second, and never kept under the name of another', async () => {
    expect((await fetch(`${edge.url}/sales//${saleId}`)).status).toBe(404);
    expect((await fetch(`${edge.url}/sales/${saleId}`)).status).toBe(200);
    expect((await fetch(`${edge.url}/sales/unknown`)).status).toBe(404);
  });

  test('assets are compressed once, when they are built', async () => {
    const page = await (await fetch(`${edge.url}/s/${saleId}`)).text();
    const asset = /\/assets\/page\.[0-9a-f]{10}\.js/.exec(page)?.[0];
    const lengths = new Map<string, number>();
    for (const encoding of ['identity', 'gzip']) {
      const answer = await sendRaw(edge.port, request(`GET ${asset} HTTP/1.1`, `Accept-Encoding: ${encoding}`));
      expect(answer.headers).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        vary: 'Accept-Encoding',
      });
      expect(answer.headers['content-encoding']).toBe(encoding === 'gzip' ? 'gzip' : undefined);
      lengths.set(encoding, Number(answer.headers['content-length']));
    }
    // Only a file has its length beforehand.
    expect(lengths.get('gzip')).toBeGreaterThan(0);
    expect(lengths.get('gzip')).toBeLessThan(lengths.get('identity') ?? 0);
  });
});

describe('in an outage', () => {
  test('the page stays, a browser without it gets one that says so, and a program a problem', async () => {
    const cold = await startEdge({ apis: stack.baseUrls.map(url => new URL(url).host) });
    try {
      expect((await fetch(`${edge.url}/s/${saleId}`)).status).toBe(200);
      await Promise.all(stack.apis.map(api => api.kill9()));
      const html = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8';
      for (let i = 0; i < 3; i++) {
        const page = await sendRaw(edge.port, request(`GET /s/${saleId} HTTP/1.1`, html));
        expect(page).toMatchObject({ status: 200, body: expect.stringContaining('<main>') });
      }
      expectPage(await sendRaw(cold.port, request(`GET /s/${saleId} HTTP/1.1`, html)), 'unavailable');
      const click = await sendRaw(cold.port, request(`POST /buy/${saleId} HTTP/1.1`, 'Content-Length: 0'));
      expectProblem(click, 'unavailable');
      expect(click.headers['retry-after']).toBe('2');
    } finally {
      await cold.stop();
      await Promise.all(stack.apis.map(api => api.restart()));
    }
  });
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { Problem, type ProblemCode, problemBody } from '#core/rules/errors.js';
import { answerError } from '../../apps/api/http/problem.js';
import { mountPage } from '../../apps/api/page.js';
import { type Edge, NO_APIS, startEdge } from './rig/edge.js';
import { expectPage, expectProblem } from './rig/own-answers.js';
import { rawRequest, sendRaw } from './rig/raw.js';

// The answers that nginx gives by itself, without any API.

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({ apis: NO_APIS });
});
afterAll(() => edge?.stop());

const stream = (...headers: string[]) =>
  rawRequest('GET /order-status/x HTTP/1.1', 'Accept: text/event-stream', ...headers);

const REFUSED: [string, string, ProblemCode][] = [
  ['TRACE', rawRequest('TRACE / HTTP/1.1'), 'method_not_allowed'],
  ['CONNECT', rawRequest('CONNECT / HTTP/1.1'), 'method_not_allowed'],
  ['CONNECT to another host', rawRequest('CONNECT example.org:443 HTTP/1.1'), 'invalid_request'],
  [
    'an unknown Transfer-Encoding',
    rawRequest('POST /buy/x HTTP/1.1', 'Transfer-Encoding: gzip, chunked'),
    'invalid_request',
  ],
  ['an unknown version of HTTP', rawRequest('GET / HTTP/9.9'), 'invalid_request'],
  ['a text that is not HTTP', 'nonsense\r\n\r\n', 'invalid_request'],
  ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 'invalid_request'],
  ['two lengths', rawRequest('POST /buy/x HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'), 'invalid_request'],
  ['an address of 9 kB', rawRequest(`GET /${'x'.repeat(9_000)} HTTP/1.1`), 'invalid_request'],
  ['a header of 9 kB', rawRequest('GET / HTTP/1.1', `X: ${'x'.repeat(9_000)}`), 'headers_too_large'],
  [
    'a body of 2 kB',
    `${rawRequest('POST /buy/x HTTP/1.1', 'Content-Length: 2000')}${'x'.repeat(2_000)}`,
    'body_too_large',
  ],
  [
    'a body for an answer that is the same for all buyers',
    `${rawRequest('GET /sales/x HTTP/1.1', 'Content-Length: 2')}xx`,
    'body_too_large',
  ],
  ['metrics', rawRequest('GET /metrics HTTP/1.1'), 'not_found'],
  ["nginx's own addresses", rawRequest('GET /problems/unavailable.json HTTP/1.1'), 'not_found'],
  ['a click without a sale', rawRequest('POST /buy HTTP/1.1'), 'not_found'],
  ['a pass without a sale', rawRequest('POST /pass HTTP/1.1'), 'not_found'],
  ['a poll without a sale', rawRequest('GET /order-status?x=1 HTTP/1.1'), 'not_found'],
  ['an event without a provider', rawRequest('POST /webhooks HTTP/1.1'), 'not_found'],
  ['a wait by its inner address', rawRequest('GET /waiting/order-status HTTP/1.1'), 'not_found'],
  ['a page by its inner address', rawRequest('GET /page/asked HTTP/1.1'), 'not_found'],
  [
    'a method with a body of 2 kB',
    `${rawRequest('TRACE / HTTP/1.1', 'Content-Length: 2000')}${'x'.repeat(2_000)}`,
    'method_not_allowed',
  ],
  [
    'metrics, with a body that is not in chunks as it says',
    `${rawRequest('POST /metrics HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n`,
    'invalid_request',
  ],
  [
    'a stream by a method that no address has',
    rawRequest('TRACE /order-status/x HTTP/1.1', 'Accept: text/event-stream'),
    'method_not_allowed',
  ],
  ['a stream with two lengths', stream('Content-Length: 1', 'Content-Length: 2'), 'invalid_request'],
  ['a stream with a header of 9 kB', stream(`X: ${'x'.repeat(9_000)}`), 'headers_too_large'],
  ['a click while no API runs', rawRequest('POST /buy/x HTTP/1.1', 'Content-Length: 0'), 'unavailable'],
];

const STREAM = { accept: 'text/event-stream', 'x-forwarded-for': '192.0.2.8' };
const HTML = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8';

describe('nginx refuses as the API does', () => {
  test.each(REFUSED)('%s', async (_name, bytes, code) => {
    expectProblem(await sendRaw(edge.port, bytes), code);
  });

  test('a body that nobody can read leaves no line in the error log', async () => {
    const before = edge.errors();
    await sendRaw(edge.port, `${rawRequest('POST /metrics HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n`);
    expect(edge.errors()).toBe(before);
  });

  test('the refusal of a method names the allowed ones', async () => {
    const { headers } = await sendRaw(edge.port, rawRequest('TRACE / HTTP/1.1'));
    expect(headers.allow).toBe('GET, HEAD, POST');
  });

  test('a browser gets a page, also in an outage', async () => {
    expectPage(await sendRaw(edge.port, rawRequest('GET /metrics HTTP/1.1', HTML)), 'not_found');
    expectPage(await sendRaw(edge.port, rawRequest('GET /s/x HTTP/1.1', HTML)), 'unavailable');
  });

  test('a refusal in an outage says when to try again', async () => {
    const { headers } = await sendRaw(edge.port, rawRequest('POST /buy/x HTTP/1.1', 'Content-Length: 0'));
    expect(headers['retry-after']).toBe('2');
  });
});

/** Starts the page of an API that is so busy that it refuses everything. */
async function startShedding(): Promise<{ host: string; stop(): void }> {
  const app = express();
  const admit = () => {
    throw new Problem('overloaded', { retryAfterSeconds: 5 });
  };
  mountPage(app, { admit });
  app.use(answerError);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}

describe('while the APIs shed pages, and nginx has none yet', () => {
  let shedding: { host: string; stop(): void };
  let busy: Edge;
  beforeAll(async () => {
    shedding = await startShedding();
    busy = await startEdge({ apis: [shedding.host, shedding.host] });
  });
  afterAll(async () => {
    await busy?.stop();
    shedding?.stop();
  });

  test.each(['/', '/s/x', '/assets/page.0123456789.js'])('a browser gets a page for %s', async path => {
    const answer = await sendRaw(busy.port, rawRequest(`GET ${path} HTTP/1.1`, HTML));
    expectPage(answer, 'overloaded');
    // The API's own advice.
    expect(answer.headers['retry-after']).toBe('5');
  });

  test('a program gets a problem document', async () => {
    expectProblem(await sendRaw(busy.port, rawRequest('GET /s/x HTTP/1.1')), 'overloaded');
  });
});

describe('a stream', () => {
  const request = (path: string) => rawRequest(`GET ${path} HTTP/1.1`, 'Accept: text/event-stream');

  test('that meets an outage learns when to come back: at any other status a browser gives it up', async () => {
    const { status, headers, body } = await sendRaw(edge.port, request('/order-status/x'));
    expect({ status, type: headers['content-type'], cache: headers['cache-control'] }).toEqual({
      status: 200,
      type: 'text/event-stream',
      cache: 'no-store',
    });
    expect(body).toMatch(/^retry: [23]\d{3}\n\n$/);
  });

  test('that meets the limit of its client comes back, too', async () => {
    const answers = await Promise.all(
      Array.from({ length: 700 }, () => fetch(`${edge.url}/order-status/x`, { headers: STREAM })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('is nothing elsewhere', async () => {
    expectProblem(await sendRaw(edge.port, request('/metrics')), 'not_found');
    expectProblem(await sendRaw(edge.port, request('/healthz')), 'unavailable');
  });
});

describe('the limit of a client', () => {
  /** Sends 160 clicks at once, of which a client may send about 100. */
  function clicks(addressOf: (number: number) => string): Promise<Response[]> {
    return Promise.all(
      Array.from({ length: 160 }, (_, number) =>
        fetch(`${edge.url}/buy/x`, { method: 'POST', headers: { 'x-forwarded-for': addressOf(number) } }),
      ),
    );
  }

  const refused = (answers: Response[]): Response[] => answers.filter(({ status }) => status === 429);

  test('a client that is too fast learns when to try again', async () => {
    const [first] = refused(await clicks(() => '192.0.2.9'));
    expect(first?.headers.get('retry-after')).toBe('1');
    expect(await first?.json()).toEqual(problemBody('too_many_requests'));
  });

  test('an IPv6 client is its /64', async () => {
    expect(refused(await clicks(number => `2001:db8:1:1:${number}::1`)).length).toBeGreaterThan(0);
    expect(refused(await clicks(number => `2001:db8:1:${1_000 + number}::1`))).toEqual([]);
  });

  // nginx cuts the 16 bytes of an address by a pattern. A line feed, a zero and a byte above 127 are bytes like any other.
  test.each([
    ['a line feed in the network', (number: number) => `2001:db8:a0a:a::${number}`],
    ['a line feed in the rest', (number: number) => `2001:db8:1:2:a0a:a:${number}:a`],
    ['a line feed at the end', (number: number) => `2001:db8:1:3::${number}:a`],
    ['only zeros in front', (number: number) => `::${number}:1`],
    ['only high bytes', (number: number) => `fdff:ffff:ffff:ffff:${number}:ffff:ffff:ffff`],
  ])('an IPv6 client with %s is its /64', async (_, addressOf) => {
    expect(refused(await clicks(addressOf)).length).toBeGreaterThan(0);
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { API_PROCESSES } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { type ApiContext, closeContext, createContext } from '../../../apps/api/context.js';
import { FIGURES } from '../../../apps/api/limits/figures.js';
import { type ApiServer, drain, startServer } from '../../../apps/api/server.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, bearer, useApi } from '../../support/http/api.js';

const api = useApi({ figures: FIGURES });

/** A second API on the same Redis. */
let second: { ctx: ApiContext; server: ApiServer };

beforeAll(async () => {
  const ctx = createContext(api.ctx.config, FIGURES);
  second = { ctx, server: await startServer(ctx) };
  await untilShared(2);
});
afterAll(async () => {
  await drain(second.ctx, second.server, 1_000);
  await closeContext(second.ctx);
});

const untilShared = (processes: number, ctx = api.ctx) => eventually(() => expect(ctx.limits.sharers).toBe(processes));

const both = () => [api.url, `http://127.0.0.1:${second.server.port}`];

/** Sends many requests of one buyer at once, to both APIs in turn. */
function flood(count: number, path: string, init: RequestInit): Promise<Answer[]> {
  const urls = both();
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const response = await fetch(`${urls[i % 2]}${path}`, init);
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
    }),
  );
}

/** A stream that only says when to come back. */
const EMPTY = /^retry: \d{4}\n\n$/;

/** The end of a stream that had the status, and that later ones replaced. */
const REPLACED = /"status":"queued"[\s\S]*event: replaced\ndata: \{\}\n\n$/;

const click = (buyerId: string) => ({ method: 'POST', headers: bearer(buyerId) });
const refused = (answers: Answer[]) => answers.filter(({ status }) => status === 429);

/** Opens a connection on which the API has answered a first request. */
async function connectTo(port: number, request: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  await once(socket, 'data');
  return socket;
}

describe('the limits of a buyer, at two APIs', () => {
  let sale: Sale;
  beforeAll(async () => {
    sale = await api.open({ units: 100 });
  });

  test('clicks: 20 at once and 5 a second are answered, whatever is sent, and nobody else is refused', async () => {
    const startedAt = performance.now();
    const answers = await flood(200, `/buy/${sale.id}`, click('ann'));
    const seconds = (performance.now() - startedAt) / 1_000;
    const passed = answers.length - refused(answers).length;
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(passed).toBeLessThanOrEqual(20 + 5 * seconds);
    expect(await api.post(`/buy/${sale.id}`, 'bob')).toMatchObject({ status: 202 });
  });

  test('the same buyer is the same in another token, in the cookie and in other spaces', async () => {
    await flood(100, `/buy/${sale.id}`, click('cem'));
    const { authorization = '' } = bearer('cem');
    const token = authorization.slice('Bearer '.length);
    const forms: Record<string, string>[] = [
      { authorization: `bearer   ${token} ` },
      {
        cookie: `dropline_token=%${token.charCodeAt(0).toString(16)}${token.slice(1)}`,
        'sec-fetch-site': 'same-origin',
      },
      bearer('cem'),
    ];
    for (const headers of forms) {
      const answers = await flood(20, `/buy/${sale.id}`, { method: 'POST', headers });
      expect(refused(answers).length).toBeGreaterThan(10);
    }
  });

  test('a refusal says when to come back, in Retry-After and in the RateLimit fields', async () => {
    const [answer] = refused(await flood(100, `/buy/${sale.id}`, click('dan')));
    expect(answer?.body).toEqual({
      type: 'urn:dropline:problem:too_many_requests',
      title: 'Too many requests',
      status: 429,
      code: 'too_many_requests',
      detail: 'clicks of one buyer: 20 at once, then 5 a second',
    });
    const headers = Object.fromEntries(answer?.headers ?? []);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '1',
      'ratelimit-policy': '"clicks";q=20;w=4',
      ratelimit: '"clicks";r=0;t=1',
    });
  });

  test('each kind of request has a limit of its own', async () => {
    const path = `/order-status/${sale.id}`;
    const headers = bearer('eve');
    await api.post(`/buy/${sale.id}`, 'eve');
    const kinds: [string, string, RequestInit][] = [
      ['polls', path, { headers }],
      ['polls', `${path}?receipt=a%2Db`, { headers }],
      ['waits', path, { headers: { ...headers, prefer: 'wait=1' } }],
      ['orders', `/pay/${sale.id}`, { method: 'POST', headers }],
      ['orders', `/cancel/${sale.id}`, { method: 'POST', headers }],
      ['passes', `/pass/${sale.id}`, { method: 'POST', headers }],
    ];
    for (const [kind, target, init] of kinds) {
      const answers = await flood(60, target, init);
      const policies = new Set(refused(answers).map(answer => answer.headers.get('ratelimit-policy')));
      const { burst, perSecond } = FIGURES[kind as keyof typeof FIGURES];
      expect([kind, ...policies]).toEqual([kind, `"${kind}";q=${burst};w=${Math.ceil(burst / perSecond)}`]);
    }
    // A browser gives up a stream for good if it gets anything but 200.
    const streams = Array.from({ length: 30 }, () => api.stream(sale, 'eve'));
    await eventually(() => expect(streams.map(({ seen }) => seen.status)).toEqual(Array(30).fill(200)));
    await eventually(() => expect(streams.map(({ seen }) => seen.text)).toContainEqual(expect.stringMatching(EMPTY)));
    for (const { destroy } of streams) destroy();
    // Beyond all those limits, the buyer may still click.
    expect((await api.post(`/buy/${sale.id}`, 'eve')).status).toBe(200);
  });
});

describe('a flood of calls for an order', () => {
  let sale: Sale;
  beforeAll(async () => {
    sale = await api.open({ units: 100 });
  });

  /** Every answer of Express has this header. */
  const isOfExpress = ({ headers }: Answer) => headers.has('content-security-policy');

  test.each(['pay', 'cancel'])('to %s is refused before Express, which gets what the limit allows', async call => {
    const buyerId = `ida-${call}`;
    const startedAt = performance.now();
    const answers = await flood(200, `/${call}/${sale.id}`, { method: 'POST', headers: bearer(buyerId) });
    const seconds = (performance.now() - startedAt) / 1_000;
    const passed = answers.filter(({ status }) => status !== 429);
    const { burst, perSecond } = FIGURES.orders;
    expect(passed.length).toBeGreaterThanOrEqual(burst);
    expect(passed.length).toBeLessThanOrEqual(burst + perSecond * seconds);
    expect(passed.every(isOfExpress)).toBe(true);
    expect(refused(answers).filter(isOfExpress)).toEqual([]);
  });

  test('is refused at once with a body that never ends, and the connection is closed', async () => {
    await flood(60, `/pay/${sale.id}`, click('jon'));
    const { authorization } = bearer('jon');
    const head = ['Host: localhost', `Authorization: ${authorization}`, 'Transfer-Encoding: chunked', '', ''];
    const socket = await connectTo(api.port, [`POST /pay/${sale.id} HTTP/1.1`, ...head, '1', 'x', ''].join('\r\n'));
    await once(socket, 'close');
    expect(socket.bytesRead).toBeGreaterThan(0);
  });
});

describe('200 streams of one buyer at once', () => {
  let sale: Sale;
  beforeAll(async () => {
    sale = await api.open({ units: 100 });
  });

  test('four stand and get the news; the others were replaced, or told when to come back', async () => {
    const claim = await api.win(sale, 'fay');
    const streams = Array.from({ length: 200 }, () => api.stream(sale, 'fay'));
    const endedLike = (text: RegExp) => streams.filter(({ seen }) => seen.ended && text.test(seen.text));
    await eventually(() => expect(streams.filter(({ seen }) => seen.ended)).toHaveLength(196));
    expect(api.ctx.waiters.count()).toBe(4);
    const [replaced, empty] = [endedLike(REPLACED).length, endedLike(EMPTY).length];
    expect(replaced + empty).toBe(196);
    expect(Math.min(replaced, empty)).toBeGreaterThan(0);
    expect(new Set(streams.map(({ seen }) => seen.status))).toEqual(new Set([200]));
    await release(api.redis, sale.id, [{ ...claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    await eventually(() => expect(endedLike(/"reason":"unpaid"/)).toHaveLength(4));
    await eventually(() => expect(api.ctx.waiters.count()).toBe(0));
  });

  test('do not hold up a request that arrives with them', async () => {
    const request = (path: string, ...headers: string[]) =>
      [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
    const health = request('/healthz');
    const { authorization } = bearer('gil');
    const stream = request(`/order-status/${sale.id}`, 'Accept: text/event-stream', `Authorization: ${authorization}`);
    await flood(60, `/order-status/${sale.id}`, { headers: { ...bearer('gil'), prefer: 'wait=1' } });
    const sockets = await Promise.all(Array.from({ length: 201 }, () => connectTo(api.port, health)));
    const [last, ...others] = sockets as [Socket, ...Socket[]];
    const answered: Socket[] = [];
    for (const socket of sockets) socket.once('data', () => answered.push(socket));
    for (const socket of others) socket.write(stream);
    last.write(health);
    await eventually(() => expect(answered).toHaveLength(201));
    // Answered as they come, the streams would all have been answered before it.
    expect(answered.indexOf(last)).toBeLessThan(100);
    for (const socket of sockets) socket.destroy();
  });
});

describe('the number of APIs that share the limits', () => {
  test('stays while Redis forgets them, or is away', async () => {
    const seen = new Set<number>();
    await api.redis.del(API_PROCESSES);
    await eventually(async () => {
      seen.add(api.ctx.limits.sharers);
      expect(await api.redis.zcard(API_PROCESSES)).toBe(2);
    });
    expect([...seen]).toEqual([2]);
    await api.redisServer.stop();
    await eventually(async () => expect((await api.get('/readyz')).status).toBe(503));
    expect(api.ctx.limits.sharers).toBe(2);
    await api.startRedisAgain();
  });

  test('falls when one has ended, and a wrong number counts as eight at most', async () => {
    const third = createContext(api.ctx.config, FIGURES);
    const server = await startServer(third);
    await untilShared(3);
    await drain(third, server, 1_000);
    await closeContext(third);
    await untilShared(2);
    const nowMs = Date.now();
    const strangers = Array.from({ length: 1_000 }, (_, i) => [nowMs, `stranger-${i}`]).flat();
    await api.redis.zadd(API_PROCESSES, ...strangers);
    await untilShared(8);
    await eventually(async () => expect(await api.redis.zcard(API_PROCESSES)).toBe(2));
    await untilShared(2);
  });
});

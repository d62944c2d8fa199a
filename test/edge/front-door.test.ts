import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../support/eventually.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { type Edge, hostsOf, type LogLine, startEdge } from './rig/edge.js';
import { createHonest, expectNobodyHarmed } from './rig/honest.js';
import { startNginx } from './rig/nginx.js';
import { expectPage } from './rig/own-answers.js';
import { rawRequest, sendRaw } from './rig/raw.js';

// The files of nginx in front of two APIs: a few odd requests, the crowd, and a proxy in front of nginx.

let stack: TestStack;
let edge: Edge;
let saleId: string;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  saleId = await stack.createSale({ units: 20_000 });
  edge = await startEdge({ apis: hostsOf(stack), web: join(checkout, 'dist/apps/web') });
});
afterAll(async () => {
  await edge?.stop();
  await stack?.stop();
});

/** Sends a request from an address that no honest client has. */
async function send(path: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(edge.url + path, { headers: { 'x-forwarded-for': '192.0.2.1', ...headers } });
  await answer.arrayBuffer();
  return answer.status;
}

describe('no honest client is harmed by', () => {
  test('long odd paths, eight a second', async () => {
    const statuses = new Set<number>();
    const attack = async () => {
      for (let i = 0; i < 24; i++) {
        const path = `${['/sales/', '/assets/', '/s/'][i % 3]}${'x'.repeat(3_000 + 20 * i)}`;
        statuses.add(await send(path));
        await setTimeout(SECOND_MS / 8);
      }
    };
    await expectNobodyHarmed(edge.url, createHonest(stack, saleId), attack());
    expect([...statuses].filter(status => ![200, 400, 404].includes(status))).toEqual([]);
  });

  test('long-polls on a path in other letter case', async () => {
    const full = await stack.createSale({ units: 1, standbyFactor: 5 });
    await stack.buy('first', full);
    await stack.buy('waiter', full);
    const headers = { authorization: `Bearer ${stack.token('waiter')}`, prefer: 'wait=7' };
    const polls = Promise.all(Array.from({ length: 6 }, () => send(`/ORDER-STATUS/${full}`, headers)));
    await expectNobodyHarmed(edge.url, createHonest(stack, saleId), polls);
    expect(new Set(await polls)).toEqual(new Set([404]));
  });

  test('a wait: it lasts longer than the time-out of a poll', async () => {
    const full = await stack.createSale({ units: 1, standbyFactor: 5 });
    await stack.buy('first', full);
    await stack.buy('waiter', full);
    const headers = { authorization: `Bearer ${stack.token('waiter')}`, prefer: 'wait=3' };
    const startedAt = performance.now();
    const wait = send(`/order-status/${full}`, headers);
    await expectNobodyHarmed(edge.url, createHonest(stack, saleId), wait);
    expect(await wait).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(2.9 * SECOND_MS);
  });
});

function connected(): Promise<Socket> {
  const socket = connect(edge.port, '127.0.0.1');
  return once(socket, 'connect').then(() => socket);
}

function linesOf(saleId: string): LogLine[] {
  return edge.log().filter(({ path }) => path === `/sales/${saleId}`);
}

describe('an answer that is the same for all buyers', () => {
  test('a crowd costs one request a second, and reads nothing older than 2 s', async () => {
    const saleId = await stack.createSale({ units: 1 });
    const startedAt = Date.now();
    const agesMs: number[] = [];
    let slowestMs = 0;
    const person = async (number: number) => {
      while (Date.now() < startedAt + 3 * SECOND_MS || agesMs.length < 300) {
        const sentAt = Date.now();
        const headers = { 'x-forwarded-for': `10.9.${number}.1` };
        const answer = await fetch(`${edge.url}/sales/${saleId}?made-up=${number}`, { headers });
        agesMs.push(sentAt - Date.parse(((await answer.json()) as { serverTime: string }).serverTime));
        slowestMs = Math.max(slowestMs, Date.now() - sentAt);
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
    // On a busy machine an answer ages on its way to the cache, and once more while the next one is fetched.
    expect(Math.max(...agesMs)).toBeLessThan(2 * SECOND_MS + 2 * slowestMs);
  });

  test('a crowd that comes as the last answer has expired costs one request, too', async () => {
    const quiet = await stack.createSale({ units: 1 });
    expect((await fetch(`${edge.url}/sales/${quiet}`)).status).toBe(200);
    // An entry is good for a second, by a clock of whole seconds.
    await setTimeout(2 * SECOND_MS);
    const sockets = await Promise.all(Array.from({ length: 100 }, connected));
    // All requests arrive before there is an answer.
    for (const api of stack.apis) process.kill(api.pid() ?? Number.NaN, 'SIGSTOP');
    const sentAt = Date.now();
    for (const [i, socket] of sockets.entries())
      socket.write(rawRequest(`GET /sales/${quiet} HTTP/1.1`, `X-Forwarded-For: 10.8.${i}.1`));
    await setTimeout(SECOND_MS / 4);
    for (const api of stack.apis) process.kill(api.pid() ?? Number.NaN, 'SIGCONT');
    const answers = await Promise.all(sockets.map(socket => text(socket)));
    expect(answers.filter(answer => !answer.startsWith('HTTP/1.1 200 '))).toEqual([]);
    const seconds = Math.ceil((Date.now() - sentAt) / SECOND_MS);
    await eventually(() => {
      const lines = linesOf(quiet).slice(1);
      expect(lines.length).toBe(sockets.length);
      // The requests may arrive in two seconds of the clock, and in more on a busy machine.
      expect(lines.filter(({ upstream }) => upstream !== '').length).toBeLessThanOrEqual(1 + seconds);
    });
  });

  test('the refusal of one path is never kept for another', async () => {
    expect((await fetch(`${edge.url}/sales//${saleId}`)).status).toBe(404);
    expect((await fetch(`${edge.url}/sales/unknown`)).status).toBe(404);
    expect((await fetch(`${edge.url}/sales/${saleId}`)).status).toBe(200);
  });

  test.each(['/ORDER-STATUS/x', '/Sales/x', '/sales/x/', '/order-status/x/', '/S/x'])('%s is 404', async path => {
    const answer = await fetch(edge.url + path);
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  test.each([
    ['/s/x/', 'not_found'],
    ['/S/x', 'not_found'],
    ['/nothing/at/all?x=1', 'not_found'],
    ['/pay/x', 'method_not_allowed'],
  ] as const)('a browser that asks for %s gets a page, and a program what the API says', async (path, code) => {
    const request = `GET ${path} HTTP/1.1`;
    const page = await sendRaw(edge.port, rawRequest(request, 'Accept: text/html,application/xhtml+xml,*/*;q=0.8'));
    expectPage(page, code);
    for (const type of ['*/*', 'application/json, text/html']) {
      const answer = await sendRaw(edge.port, rawRequest(request, `Accept: ${type}`));
      expect(JSON.parse(answer.body)).toMatchObject({ code });
      expect([answer.status, answer.headers.allow]).toEqual([page.status, page.headers.allow]);
    }
  });

  test('assets are compressed once, when they are built', async () => {
    const page = await (await fetch(`${edge.url}/s/${saleId}`)).text();
    const asset = /\/assets\/page\.[0-9a-f]{10}\.js/.exec(page)?.[0];
    const lengths = new Map<string, number>();
    for (const encoding of ['identity', 'gzip']) {
      const answer = await sendRaw(edge.port, rawRequest(`GET ${asset} HTTP/1.1`, `Accept-Encoding: ${encoding}`));
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

test('the pass of one buyer is never kept for another, nor for the same buyer later', async () => {
  const saleId = await stack.createSale({ units: 3, needsPass: true });
  const passOf = async (buyerId: string) => {
    const headers = { authorization: `Bearer ${stack.token(buyerId)}`, 'x-forwarded-for': '10.6.0.2' };
    const answer = await fetch(`${edge.url}/pass/${saleId}`, { method: 'POST', headers });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    return ((await answer.json()) as { pass: string }).pass;
  };
  const passes: string[] = [];
  for (const buyerId of ['ann', 'bob', 'ann']) passes.push(await passOf(buyerId));
  expect(new Set(passes).size).toBe(3);
  const click = async (buyerId: string, pass: string) => {
    const headers = { authorization: `Bearer ${stack.token(buyerId)}`, 'dropline-pass': pass };
    return (await fetch(`${edge.url}/buy/${saleId}`, { method: 'POST', headers })).status;
  };
  expect([await click('ann', passes[1] ?? ''), await click('bob', passes[1] ?? '')]).toEqual([403, 202]);
  const asked = edge.log().filter(({ path }) => path === `/pass/${saleId}`);
  expect(asked.filter(({ upstream }) => upstream === '')).toEqual([]);
});

test('the status of one buyer is never kept for another, nor for the same buyer later', async () => {
  const saleId = await stack.createSale({ units: 3 });
  const statusOf = async (buyerId: string) => {
    const headers = { authorization: `Bearer ${stack.token(buyerId)}`, 'x-forwarded-for': '10.6.0.1' };
    const answer = await fetch(`${edge.url}/order-status/${saleId}`, { headers });
    return (await answer.json()) as { status: string; unit?: number };
  };
  // All of this takes less than the second that an answer for all buyers is kept.
  expect(await statusOf('ann')).toEqual({ status: 'none' });
  await stack.buy('ann', saleId);
  const buyers = ['ann', 'bob', 'ann', 'cem', 'bob', 'ann'];
  for (const buyerId of buyers) {
    const { status, unit } = await statusOf(buyerId);
    expect([buyerId, unit, status === 'none']).toEqual(
      buyerId === 'ann' ? ['ann', 1, false] : [buyerId, undefined, true],
    );
  }
  const anonymous = await fetch(`${edge.url}/order-status/${saleId}`);
  expect(anonymous.status).toBe(401);
  const asked = edge.log().filter(({ path }) => path === `/order-status/${saleId}`);
  expect(asked.filter(({ upstream }) => upstream === '')).toEqual([]);
});

/** The configuration of a proxy in front of nginx, such as the shop's own. With nginx's defaults it buffers answers. */
const shopConfig = (folder: string, port: number): string => `
pid ${folder}/nginx.pid;
error_log stderr error;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/unused;
  uwsgi_temp_path ${folder}/unused;
  scgi_temp_path ${folder}/unused;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${edge.url};
    }
  }
}`;

test('a stream through a second proxy reports each change at once', async () => {
  const folder = await createTemporaryFolder();
  const configure = (port: number) => {
    writeFileSync(join(folder, 'nginx.conf'), shopConfig(folder, port));
    return ['-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
  };
  const shop = await startNginx({ folder, configure });
  try {
    const saleId = await stack.createSale({ units: 1 });
    await stack.buy('ann', saleId);
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${stack.token('ann')}`, accept: 'text/event-stream' };
    const answer = await fetch(`${shop.url}/order-status/${saleId}`, { headers, signal: leaving.signal });
    let read = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      read += chunk;
      // The first event reports the order. A proxy that buffers would hold it back until it has 4 kB, or until the end.
      if (read.includes('"pending_payment"') && !read.includes('cancelled')) await stack.cancel('ann', saleId);
      if (read.includes('"cancelled"')) break;
    }
    leaving.abort();
    expect(read).toMatch(/event: status[\s\S]*"status":"cancelled"/);
  } finally {
    await shop.stop();
    await removeTemporaryFolder(folder);
  }
});

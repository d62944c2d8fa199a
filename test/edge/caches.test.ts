import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '#stack/processes/free-port.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../support/eventually.js';
import { type Edge, startEdge } from './rig/edge.js';
import { expectProblem } from './rig/own-answers.js';
import { type RawAnswer, rawRequest, sendRaw } from './rig/raw.js';
import { type Answer, die, empty, type Recorder, say, startRecorder } from './rig/recorder.js';

// The answers that are the same for all buyers, in front of a server that counts the requests that arrive.

const ASSET = '/assets/page.0123456789';
const LIMIT_MS = 20_000;

let web: string;
let api: Recorder;
let edge: Edge;
let http2Url: string;

beforeAll(async () => {
  web = await createTemporaryFolder();
  await mkdir(join(web, 'assets'));
  for (const type of ['js', 'css', 'svg']) {
    await writeFile(join(web, `${ASSET}.${type}`), `${type} of the page`);
    await writeFile(join(web, `${ASSET}.${type}.gz`), gzipSync(`${type} of the page`));
  }
  api = await startRecorder();
  const port = await freePort();
  http2Url = `http://127.0.0.1:${port}`;
  const files = { 'local/server/http2.conf': `listen 127.0.0.1:${port} http2;\n` };
  edge = await startEdge({ apis: [api.host, api.host], web, files });
});
afterAll(async () => {
  await edge?.stop();
  await api?.stop();
  await removeTemporaryFolder(web);
});
beforeEach(() => {
  api.arrived.length = 0;
  api.malformed = 0;
  api.answer = empty;
});

const get = (path: string, ...headers: string[]): Promise<RawAnswer> =>
  sendRaw(edge.port, rawRequest(`GET ${path} HTTP/1.1`, ...headers));

/** Returns the paths that arrived, without those of pages: nginx also asks for these in the background, after a test. */
const pathsArrived = () => api.arrived.flatMap(({ url }) => (url === '/' ? [] : [url]));

/** Asks 20 times in a row. Even on a busy machine that takes less than 20 s, for each of which the API may be asked once. */
async function askedFor(pathOf: (i: number) => string): Promise<number> {
  for (let i = 0; i < 20; i += 1) await get(pathOf(i));
  return api.arrived.length;
}

/** Asks until the kept answer has expired, so that the API is asked. Returns every answer. */
function untilExpired(path: string): Promise<RawAnswer[]> {
  const before = api.arrived.length;
  const answers: RawAnswer[] = [];
  return eventually(async () => {
    answers.push(await get(path));
    expect(api.arrived.length).toBeGreaterThan(before);
    return answers;
  }, LIMIT_MS);
}

describe('an answer about a sale is kept for all buyers', () => {
  test.each([200, 404, 503])('with status %i, whatever the query is', async status => {
    api.answer = say(status);
    expect(await askedFor(i => `/sales/status-${status}?${i}`)).toBeLessThan(10);
    api.arrived.length = 0;
    expect(await askedFor(i => `/draws/status-${status}?${i}`)).toBeLessThan(10);
  });

  test.each([
    ['Cache-Control', 'no-store'],
    ['Expires', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['Vary', '*'],
    ['Set-Cookie', 'a=b'],
  ])('also with the header %s: %s', async (name, value) => {
    api.answer = say(200, { [name]: value });
    expect(await askedFor(() => `/sales/header-${name}`)).toBeLessThan(10);
  });

  test('and never for another sale', async () => {
    api.answer = (req, res) => void res.end(`about ${req.url}.`);
    for (const id of ['one', 'two', 'one']) expect((await get(`/sales/${id}`)).body).toContain(`about /sales/${id}.`);
  });
});

describe('a body is refused where the answer is the same for all buyers:', () => {
  const withBody = (path: string) => sendRaw(edge.port, `${rawRequest(`GET ${path} HTTP/1.1`, 'Content-Length: 1')}x`);

  test.each(['/', '/s/x', '/sales/x', '/draws/x', '/draws/x/entries/0', '/assets/absent.0123456789.js'])(
    '%s',
    async path => {
      expectProblem(await withBody(path), 'body_too_large');
      expect(pathsArrived()).toEqual([]);
    },
  );

  test.each([
    '/x/',
    '/x/s/x',
    '/s/x/y',
    `/s/${'x'.repeat(65)}`,
    '/x/sales/x',
    '/sales/x/y',
    `/sales/${'x'.repeat(65)}`,
    '/x/draws/x',
    '/draws/x/proof',
    '/draws/x/entries/0/x',
    '/x/draws/x/entries/0',
    '/draws/x/entries/12345678',
    `/draws/${'x'.repeat(65)}/entries/0`,
    '/x/assets/absent.0123456789.js',
    '/assets/absent.0123456789.js/x',
    '/assets/absent.0123456789a.js',
    `/assets/${'x'.repeat(65)}.0123456789.js`,
  ])('not at %s', async path => {
    expect((await withBody(path)).status).toBe(200);
    expect(pathsArrived()).toEqual([path]);
  });

  test('an empty one is none', async () => {
    expect((await get('/sales/empty-body', 'Content-Length: 0')).status).toBe(200);
    const [one] = api.arrived.filter(({ url }) => url !== '/');
    expect(one?.headers).not.toHaveProperty('content-length');
    expect(pathsArrived()).toEqual(['/sales/empty-body']);
  });
});

// In HTTP/2, a body may come without any header that announces it.
describe('over HTTP/2, which a shop may add,', () => {
  /** Sends a request whose body has no announced length. Returns the status. */
  async function send(path: string, body: string): Promise<number> {
    const session = connectHttp2(http2Url);
    try {
      const stream = session.request({ ':path': path, ':method': 'POST' }, { endStream: false });
      stream.end(body);
      const [headers] = await once(stream, 'response');
      stream.resume();
      await once(stream, 'close');
      return headers[':status'];
    } finally {
      session.destroy();
    }
  }

  test('a body of two bytes is refused, and one of one byte does not reach the API', async () => {
    expect(await send('/sales/http2-two', 'xx')).toBe(413);
    expect(await send('/sales/http2-one', 'x')).toBe(200);
    const one = api.arrived.find(({ url }) => url === '/sales/http2-one');
    expect([pathsArrived().length, api.malformed]).toEqual([1, 0]);
    expect([one?.headers['content-length'], one?.headers['transfer-encoding']]).toEqual([undefined, undefined]);
  });
});

describe('compression', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const LONG = JSON.stringify({ text: 'x'.repeat(1_000) });

  test.each([
    ['/sales/compressed', 'application/json'],
    ['/openapi.json', 'application/json'],
    ['/assets/compressed.0123456789.css', 'text/css'],
    ['/', 'text/html'],
  ])('of %s is for clients that understand it, also behind another proxy', async (path, type) => {
    // A page that is kept from an earlier test is replaced first.
    api.answer = say(200, { 'content-type': type, 'cache-control': 'max-age=1' }, LONG);
    await eventually(async () => {
      const { headers } = await get(path, 'Accept-Encoding: gzip', 'Via: 1.1 shop');
      expect([headers['content-encoding'], headers.vary]).toEqual(['gzip', 'Accept-Encoding']);
    }, LIMIT_MS);
    expect((await get(path)).headers['content-encoding']).toBeUndefined();
  });

  test.each(['/openapi.json/x', '/openapi.jsonx', '/order-status/x'])('leaves %s alone', async path => {
    api.answer = say(200, JSON_TYPE, LONG);
    expect((await get(path, 'Accept-Encoding: gzip')).headers['content-encoding']).toBeUndefined();
  });

  test('leaves short answers alone', async () => {
    api.answer = say(200, { ...JSON_TYPE, 'content-length': '200' }, 'x'.repeat(200));
    expect((await get('/openapi.json', 'Accept-Encoding: gzip')).headers['content-encoding']).toBeUndefined();
  });
});

describe('the page is kept for all buyers', () => {
  test('of all sales, also if the API wants it to be revalidated', async () => {
    api.answer = say(200, { 'cache-control': 'no-cache' }, 'the page');
    await untilExpired('/s/x');
    expect(await askedFor(i => `/s/sale-${i}`)).toBeLessThan(10);
    expect(new Set(api.arrived.map(({ url }) => url))).toEqual(new Set(['/']));
  });

  test.each<[string, Answer]>([
    ['dies', die],
    ['fails', say(500)],
    ['is busy', say(503)],
    ['freezes', () => undefined],
  ])('while the API %s, and no buyer waits for another one', async (what, answer) => {
    api.answer = say(200, {}, 'the page');
    await untilExpired('/s/x');
    await eventually(async () => expect((await get('/s/x')).body).toContain('the page'), LIMIT_MS);
    api.answer = answer;
    const path = `/s/${what.replace(' ', '-')}`;
    const answers = await untilExpired(path);
    expect(answers.filter(({ status, body }) => status !== 200 || !body.includes('the page'))).toEqual([]);
    await eventually(() => {
      const lines = edge.log().filter(line => line.path === path);
      expect(lines).toHaveLength(answers.length);
      // A request that asks an API has the address of the API in the log.
      expect(lines.filter(({ upstream }) => upstream !== '')).toEqual([]);
    }, LIMIT_MS);
  });
});

describe('an asset', () => {
  test.each([
    ['js', 'text/javascript; charset=utf-8'],
    ['css', 'text/css; charset=utf-8'],
    ['svg', 'image/svg+xml'],
  ])('of type %s comes from the folder, as %s', async (type, contentType) => {
    const { status, headers } = await get(`${ASSET}.${type}`, 'Accept-Encoding: gzip', 'X-Request-Id: request-0123');
    expect({ status, ...headers }).toMatchObject({
      status: 200,
      'content-type': contentType,
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'request-0123',
      vary: 'Accept-Encoding',
    });
    expect((await get(`${ASSET}.${type}`)).body).toBe(`${type} of the page`);
    expect(pathsArrived()).toEqual([]);
  });

  test('that is not in the folder comes from the API, and is kept for as long as the API says', async () => {
    api.answer = (req, res) => void res.writeHead(200, { 'cache-control': 'max-age=60' }).end(`file ${req.url}.`);
    await askedFor(i => `/assets/kept.0123456789.js?${i}`);
    expect(pathsArrived()).toEqual(['/assets/kept.0123456789.js']);
    expect((await get('/assets/other.0123456789.js')).body).toContain('file /assets/other.0123456789.js.');
  });

  test.each<[string, Answer]>([
    ['dies', die],
    ['fails', say(500)],
    ['is busy', say(503)],
    ['freezes', () => undefined],
  ])('that was kept is shown while the API %s', async (what, answer) => {
    const path = `/assets/${what.replace(' ', '-')}.0123456789.js`;
    api.answer = say(200, { 'cache-control': 'max-age=1' }, 'the asset');
    await get(path);
    api.answer = answer;
    const answers = await untilExpired(path);
    expect(answers.filter(({ status, body }) => status !== 200 || !body.includes('the asset'))).toEqual([]);
  });

  test('that was kept is shown while another one is on its way', async () => {
    const path = '/assets/updated.0123456789.js';
    api.answer = say(200, { 'cache-control': 'max-age=1' }, 'the asset');
    await get(path);
    let letGo: (() => void) | undefined;
    api.answer = (_, res) => {
      letGo = () => void res.end('another one');
    };
    const updating = untilExpired(path);
    await eventually(() => expect(letGo).toBeDefined(), LIMIT_MS);
    expect((await get(path, 'X-Request-Id: while-updating')).body).toContain('the asset');
    expect(api.arrived.map(({ headers }) => headers['x-request-id'])).not.toContain('while-updating');
    letGo?.();
    await updating;
  });
});

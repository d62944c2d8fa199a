import { once } from 'node:events';
import { connect } from 'node:net';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { describe, expect, test } from '@jest/globals';
import { readOperators } from '#core/identity/operators.js';
import { Sessions } from '#core/identity/session.js';
import { issueToken } from '#core/identity/token.js';
import { JOB_NAMES } from '#core/queue/jobs.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { freePort } from '#stack/processes/free-port.js';
import { ADMIN_TOKEN, AUTH_SECRET, BEARER, HTML, logIn, useAdmin } from '../support/http/admin.js';
import { oddRequests } from '../support/http/odd-requests.js';
import { wrongAnswers } from '../support/http/wrong-answers.js';
import { openTestSale, winOne } from '../support/sales.js';
import { loseClaim } from '../support/stores/by-hand.js';
import { startFaultProxy } from '../support/stores/fault-proxy.js';
import { useStores } from '../support/stores/stores.js';

const stores = useStores();
const admin = useAdmin(stores);
const { ask } = admin;

const session = (value: string) => `dropline_admin=${value}`;

type Route = readonly [method: string, path: string];

const OURS = ['', 'sales', 'sales/x', 'sales/x/audit', 'money', 'buyers/x', 'nothing'].map(
  (path): Route => ['GET', `/${path}`],
);
const CHANGES = ['pause', 'resume', 'close', 'restock'].map((change): Route => ['POST', `/sales/x/${change}`]);

/** A session of the operator `admin`, but signed with another secret. */
function foreignSession(): string {
  const operators = readOperators({ ADMIN_TOKEN });
  const admin = operators.named('admin');
  return admin ? new Sessions(`${AUTH_SECRET}!`, operators).issue(admin) : '';
}

/** Every route of bull-board, from its own list. */
const BOARD = [appRoutes.entryPoint, ...appRoutes.api].flatMap(({ method, route }) =>
  [route].flat().flatMap(path => {
    const filled = path.replace(':queueName', 'place-orders').replace(/:\w+/g, '1');
    return [method].flat().map((verb): Route => [verb.toUpperCase(), `/queues${filled}`]);
  }),
);

describe('without a login', () => {
  test.each(['/healthz', '/readyz', '/login', '/admin.css'])('%s is public', async path => {
    expect((await ask(path)).status).toBe(200);
  });

  test('the list of bull-board’s routes is complete', () => {
    expect(BOARD.length).toBeGreaterThan(30);
  });

  test.each([...OURS, ...CHANGES, ...BOARD])('%s %s needs a login', async (method, path) => {
    const credentials: [string, Record<string, string>][] = [
      ['none', {}],
      ['a session by another key', { cookie: session(foreignSession()), 'sec-fetch-site': 'same-origin' }],
      ['an empty session', { cookie: session(''), 'sec-fetch-site': 'same-origin' }],
    ];
    const answers = await Promise.all(
      credentials.map(async ([name, headers]) => {
        const answer = await ask(path, headers, { method });
        return [name, answer.status, answer.headers.get('content-type')];
      }),
    );
    const problem = expect.stringContaining('application/problem+json');
    expect(answers).toEqual(credentials.map(([name]) => [name, 401, problem]));
  });

  test.each([
    ['another token', 'wrong'],
    ["a buyer's token", issueToken(AUTH_SECRET, 'admin')],
  ])('%s is no login', async (_, token) => {
    expect((await ask('/sales', { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('every route answers odd requests with a problem, with and without a login', async () => {
    const routes = ['/', '/login', '/sales/', '/buyers/', '/orders/', '/money', '/queues/api/queues/', '/nothing/'];
    const requests = oddRequests(routes, [BEARER.authorization, '']);
    expect(await wrongAnswers(Number(new URL(admin.url).port), requests)).toEqual([]);
  });

  test('the console and the board redirect a browser to the login', async () => {
    for (const path of ['/', '/sales/x', '/queues', '/queues/queue/place-orders']) {
      const answer = await ask(path, HTML);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login']);
    }
  });
});

test('clients that leave in the middle of a form raise no alarm', async () => {
  const metricsPort = await freePort();
  const { port } = new URL(await admin.startAnother({ METRICS_PORT: String(metricsPort) }));
  const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n';
  for (let i = 0; i < 5; i += 1) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`POST /login HTTP/1.1\r\nHost: localhost\r\n${form}`);
    await once(socket, 'data');
    // With FIN instead of RST, Node itself would count half a request.
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  // The admin has noticed the loss of the earlier connections once it answers on a later one.
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/nothing`, { headers: BEARER })).status).toBe(404);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics.match(/^dropline_(problems|\w+_errors)_total.* [1-9]\d*$/gm)).toEqual([
    'dropline_problems_total{code="not_found"} 1',
  ]);
});

describe('logging in', () => {
  test('a login sets a cookie for this site only, and opens every page', async () => {
    const answer = await logIn(admin.url, ADMIN_TOKEN);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(answer.headers.get('set-cookie')).toMatch(/Path=\/; HttpOnly; SameSite=Strict/);
    for (const path of ['/', '/queues', '/queues/api/queues']) {
      expect((await ask(path, admin.browser)).status).toBe(200);
      expect((await ask(path, BEARER)).status).toBe(200);
    }
  });
});

describe('requests of another page', () => {
  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another port of this host', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['a page that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['a page that the browser calls same-site', { 'sec-fetch-site': 'same-site' }],
    ['a form that hides its origin', {}],
  ])('%s changes nothing', async (_, headers) => {
    const sale = await openTestSale(stores);
    const answer = await ask(
      `/sales/${sale.id}/pause`,
      { cookie: admin.browser.cookie, ...headers },
      { method: 'POST' },
    );
    expect([answer.status, await answer.json()]).toEqual([403, expect.objectContaining({ code: 'forbidden_origin' })]);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ state: 'open' });
  });
});

describe('the board', () => {
  const writes = BOARD.filter(([method]) => method !== 'GET');

  test.each(writes)('the read-only board refuses %s %s', async (method, path) => {
    const answer = await ask(path, BEARER, { method });
    expect([answer.status, await answer.json()]).toEqual([
      405,
      expect.objectContaining({ code: 'method_not_allowed' }),
    ]);
  });

  test('the board shows every queue', async () => {
    const { queues } = (await (await ask('/queues/api/queues', BEARER)).json()) as { queues: object[] };
    expect(queues).toEqual(JOB_NAMES.map(name => expect.objectContaining({ name, readOnlyMode: true })));
  });

  test('the board changes queues with BOARD_WRITE=1', async () => {
    const another = await admin.startAnother({ BOARD_WRITE: '1' });
    const queue = stores.queues.of('')['cancel-order'];
    const set = (verb: string) =>
      fetch(`${another}/queues/api/queues/cancel-order/${verb}`, { method: 'PUT', headers: BEARER });
    expect((await set('pause')).status).toBe(200);
    expect(await queue.isPaused()).toBe(true);
    expect((await set('resume')).status).toBe(200);
    expect(await queue.isPaused()).toBe(false);
  });
});

describe('the console', () => {
  test('the console shows sales to people and programs, and escapes their titles', async () => {
    const sale = await openTestSale(stores, { title: `<script>alert("x")</script>`, units: 7 });
    for (const path of ['/', `/sales/${sale.id}`]) {
      const answer = await ask(path, admin.browser);
      expect(answer.headers.get('content-security-policy')).toMatch("default-src 'none'");
      const page = await answer.text();
      expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
      expect(page).not.toContain('<script');
    }
    expect(await (await ask(`/sales/${sale.id}`, BEARER)).json()).toMatchObject({
      units: 7,
      free: 7,
      inRedis: 'ready',
    });
    const { sales } = (await (await ask('/sales', BEARER)).json()) as { sales: object[] };
    expect(sales).toContainEqual(expect.objectContaining({ id: sale.id, phase: 'open' }));
  });

  test('the console shows until when a sale is hidden', async () => {
    const announceAtMs = Date.now() + 60_000;
    const sale = await openTestSale(stores, { announceAtMs, opensAtMs: announceAtMs });
    for (const path of ['/', `/sales/${sale.id}`]) {
      expect(await (await ask(path, admin.browser)).text()).toMatch(/hidden until/i);
    }
  });

  test('the console shows an audit that holds, and one that fails', async () => {
    const sale = await openTestSale(stores);
    const won = await winOne(stores, sale, 'b1');
    await placeOrders(stores, { saleId: sale.id, claims: [won] });
    const path = `/sales/${sale.id}/audit`;
    expect(await (await ask(path, BEARER)).json()).toMatchObject({ sale: sale.id, ok: true, violations: [] });
    expect(await (await ask(path, admin.browser)).text()).toContain('Every promise holds');
    await loseClaim(stores, sale.id, won);
    expect(await (await ask(path, BEARER)).json()).toMatchObject({ ok: false });
    const page = await (await ask(path, admin.browser)).text();
    expect(page).toContain('Promises are broken');
    expect(page).toContain(won.claimId);
  });

  test('the console changes a sale for a form and for a program', async () => {
    const sale = await openTestSale(stores, { units: 2 });
    const path = `/sales/${sale.id}`;
    const form = (change: string, fields = {}) =>
      ask(
        `${path}/${change}`,
        { ...admin.browser, origin: admin.url },
        { method: 'POST', body: new URLSearchParams(fields) },
      );
    const paused = await form('pause');
    expect([paused.status, paused.headers.get('location')]).toEqual([303, path]);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ state: 'paused' });
    expect((await form('restock', { units: '3' })).status).toBe(303);
    expect((await form('restock', { units: '0' })).status).toBe(400);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ units: 5, remaining: 5 });
    const seen = /name="generation" value="(\d+)"/.exec(await (await ask(path, admin.browser)).text())?.[1] ?? '';
    const twice = [1, 2].map(() => form('restock', { units: '2', generation: seen }));
    expect((await Promise.all(twice)).map(({ status }) => status).sort()).toEqual([303, 409]);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ units: 7, remaining: 7 });
    const resumed = await ask(`${path}/resume`, BEARER, { method: 'POST' });
    expect(await resumed.json()).toMatchObject({ sale: sale.id, state: 'open', units: 7, inRedis: true });
    expect(await (await ask(`${path}/close`, BEARER, { method: 'POST' })).json()).toMatchObject({ state: 'closed' });
    const late = await ask(`${path}/resume`, BEARER, { method: 'POST' });
    expect([late.status, await late.json()]).toEqual([410, expect.objectContaining({ code: 'sale_closed' })]);
  });

  test.each(['/sales/absent', '/sales/absent/audit', '/sales/%00', '/sales/a%20b', '/sales/%E0'])(
    '%s is answered with a problem',
    async path => {
      const answer = await ask(path, BEARER);
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    },
  );

  test('a body that is too large or malformed is refused', async () => {
    const sale = await openTestSale(stores);
    const restock = (body: string, type: string) =>
      ask(`/sales/${sale.id}/restock`, { ...BEARER, 'content-type': type }, { method: 'POST', body });
    expect((await restock('x'.repeat(5_000), 'application/x-www-form-urlencoded')).status).toBe(413);
    expect((await restock('{"units":', 'application/json')).status).toBe(400);
    expect((await restock('{"units":2}', 'application/json')).status).toBe(200);
  });
});

describe('with stores that are down', () => {
  test('the process is alive but not ready, and answers in time', async () => {
    const another = await admin.startAnother({
      REDIS_URL: 'redis://127.0.0.1:1',
      DATABASE_URL: 'postgres://x@127.0.0.1:1/x',
    });
    expect((await fetch(`${another}/healthz`)).status).toBe(200);
    expect((await fetch(`${another}/readyz`)).status).toBe(503);
    for (const path of ['/sales', '/sales/x', '/sales/x/audit']) {
      const answer = await fetch(another + path, { headers: BEARER });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    }
  });

  test('an answer of many statements has the same deadline as an answer of one', async () => {
    const sale = await openTestSale(stores);
    const proxy = await startFaultProxy(stores.databaseUrl);
    try {
      const slow = await admin.startAnother({ DATABASE_URL: proxy.through(stores.databaseUrl) });
      const audit = () => fetch(`${slow}/sales/${sale.id}/audit`, { headers: BEARER });
      expect((await audit()).status).toBe(200);
      // Each statement is fast enough, but eight of them in sequence miss the deadline. Without it the answer would be 200.
      proxy.set({ kind: 'latency', ms: 700 });
      expect((await audit()).status).toBe(503);
    } finally {
      await proxy.close();
    }
  });

  test('without Redis the console shows the sale in Postgres and keeps a change for later', async () => {
    const sale = await openTestSale(stores);
    const another = await admin.startAnother({ REDIS_URL: 'redis://127.0.0.1:1' });
    const seen = await fetch(`${another}/sales/${sale.id}`, { headers: BEARER });
    expect(await seen.json()).toMatchObject({ units: sale.units, inRedis: 'away', free: null });
    const paused = await fetch(`${another}/sales/${sale.id}/pause`, { method: 'POST', headers: BEARER });
    expect(await paused.json()).toMatchObject({ state: 'paused', inRedis: false });
  });
});

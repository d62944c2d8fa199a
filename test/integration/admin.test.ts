import { appRoutes } from '@bull-board/api/dist/routes.js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkout } from '#core/checkout.js';
import { creditWallets } from '#core/orders/wallet.js';
import { JOB_NAMES } from '#core/queue/jobs.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readLoadedSale } from '#core/stock/sale.js';
import { issueSession, issueToken } from '#core/token.js';
import { type GuardedProcess, startGuarded } from '../../apps/stack/guarded-process.js';
import { build } from '../support/build.js';
import { loseClaim } from '../support/by-hand.js';
import { eventually } from '../support/eventually.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { oddRequests, wrongAnswers } from '../support/odd-requests.js';
import { openTestSale, useStores, winOne } from '../support/stores.js';

const AUTH_SECRET = 'a secret of the test, and long enough';
const ADMIN_TOKEN = 'the token of the operator';
const START_MS = 30_000;

const stores = useStores();
const started: GuardedProcess[] = [];
let url: string;
let cookie: string;

/** The admin as its own process. */
async function startAdmin(settings: Record<string, string> = {}): Promise<string> {
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = stores;
  const admin = await startGuarded({
    command: process.execPath,
    args: ['dist/apps/admin/main.js'],
    cwd: checkout,
    environment: {
      PATH: String(process.env.PATH),
      REDIS_URL,
      DATABASE_URL,
      AUTH_SECRET,
      ADMIN_TOKEN,
      ADMIN_PORT: '0',
      ...settings,
    },
    output: 'pipe',
    stopSignal: 'SIGTERM',
    graceMs: 15_000,
  });
  started.push(admin);
  let printed = '';
  for (const stream of [admin.stdout, admin.stderr]) stream?.on('data', chunk => (printed += chunk));
  const port = await eventually(() => {
    const found = /"port":(\d+).*"msg":"listening"/.exec(printed)?.[1];
    if (!found) throw new Error(`not listening: ${printed}`);
    return found;
  }, START_MS);
  return `http://127.0.0.1:${port}`;
}

beforeAll(async () => {
  await build();
  url = await startAdmin();
  const answer = await logIn(url, ADMIN_TOKEN);
  cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
});

afterAll(async () => {
  await Promise.all(started.map(admin => admin.stop()));
});

const HTML = { accept: 'text/html' };
const BEARER = { authorization: `Bearer ${ADMIN_TOKEN}` };

function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(url + path, { redirect: 'manual', headers, ...init });
}

function logIn(at: string, token: string, headers: Record<string, string> = HTML): Promise<Response> {
  return fetch(`${at}/login`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ token }) });
}

type Route = readonly [method: string, path: string];

const OURS = ['', 'sales', 'sales/x', 'sales/x/audit', 'money', 'buyers/x', 'nothing'].map(
  (path): Route => ['GET', `/${path}`],
);
const CHANGES = ['pause', 'resume', 'close', 'restock'].map((change): Route => ['POST', `/sales/x/${change}`]);

/** Every route that bull-board has, by its own list. */
const BOARD = [appRoutes.entryPoint, ...appRoutes.api].flatMap(({ method, route }) =>
  [route].flat().flatMap(path => {
    const filled = path.replace(':queueName', 'place-orders').replace(/:\w+/g, '1');
    return [method].flat().map((verb): Route => [verb.toUpperCase(), `/queues${filled}`]);
  }),
);

describe('without a login', () => {
  test.each(['/healthz', '/readyz', '/login', '/admin.css'])('%s is open', async path => {
    expect((await ask(path)).status).toBe(200);
  });

  test('bull-board has as many routes as ever, and its list is read', () => {
    expect(BOARD.length).toBeGreaterThan(30);
  });

  test.each([...OURS, ...CHANGES, ...BOARD])('%s %s is not', async (method, path) => {
    const credentials = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Bearer ${issueToken(AUTH_SECRET, 'operator')}` },
      { cookie: `dropline_admin=${issueSession(AUTH_SECRET)}`, 'sec-fetch-site': 'same-origin' },
      { cookie: 'dropline_admin=', 'sec-fetch-site': 'same-origin' },
    ];
    for (const headers of credentials) {
      const answer = await ask(path, headers, { method });
      expect(answer.status).toBe(401);
      if (method !== 'HEAD') expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    }
  });

  test('every route answers odd requests with a problem, also to who is logged in', async () => {
    const routes = ['/', '/login', '/sales/', '/buyers/', '/orders/', '/money', '/queues/api/queues/', '/nothing/'];
    const requests = oddRequests(routes, [BEARER.authorization, '']);
    expect(await wrongAnswers(Number(new URL(url).port), requests)).toEqual([]);
  });

  test('a browser is sent to the login, from the console and from the board', async () => {
    for (const path of ['/', '/sales/x', '/queues', '/queues/queue/place-orders']) {
      const answer = await ask(path, HTML);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login']);
    }
  });
});

describe('logging in', () => {
  test('sets a cookie that scripts and other sites do not get, and opens everything', async () => {
    const answer = await logIn(url, ADMIN_TOKEN);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(answer.headers.get('set-cookie')).toMatch(/Path=\/; HttpOnly; SameSite=Strict/);
    for (const path of ['/', '/queues', '/queues/api/queues']) {
      expect((await ask(path, { ...HTML, cookie })).status).toBe(200);
      expect((await ask(path, BEARER)).status).toBe(200);
    }
  });

  test('logging out takes the cookie back', async () => {
    const answer = await ask('/logout', { ...HTML, cookie, origin: url }, { method: 'POST' });
    expect(answer.headers.get('set-cookie')).toMatch(/^dropline_admin=; Max-Age=0/);
  });

  test('ten wrong tokens a minute are enough, and then the right one must wait, too', async () => {
    const admin = await startAdmin();
    for (let i = 0; i < 10; i += 1) expect((await logIn(admin, 'wrong', {})).status).toBe(401);
    const limited = await logIn(admin, ADMIN_TOKEN, {});
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('60');
    expect(await limited.json()).toMatchObject({ code: 'too_many_requests' });
  });
});

describe('another page', () => {
  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another port of this host', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['what the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['what the browser calls same-site', { 'sec-fetch-site': 'same-site' }],
    ['a form that hides where it is', {}],
  ])('%s changes nothing', async (_, headers) => {
    const sale = await openTestSale(stores);
    const answer = await ask(`/sales/${sale.id}/pause`, { cookie, ...headers }, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([403, expect.objectContaining({ code: 'forbidden_origin' })]);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ state: 'open' });
  });
});

describe('the board', () => {
  const writes = BOARD.filter(([method]) => method !== 'GET');

  test.each(writes)('read-only, it refuses %s %s', async (method, path) => {
    const answer = await ask(path, BEARER, { method });
    expect([answer.status, await answer.json()]).toEqual([
      405,
      expect.objectContaining({ code: 'method_not_allowed' }),
    ]);
  });

  test('shows every queue', async () => {
    const { queues } = (await (await ask('/queues/api/queues', BEARER)).json()) as { queues: object[] };
    expect(queues).toEqual(JOB_NAMES.map(name => expect.objectContaining({ name, readOnlyMode: true })));
  });

  test('may be written to with BOARD_WRITE=1', async () => {
    const admin = await startAdmin({ BOARD_WRITE: '1' });
    const queue = stores.queues['cancel-order'];
    const set = (verb: string) =>
      fetch(`${admin}/queues/api/queues/cancel-order/${verb}`, { method: 'PUT', headers: BEARER });
    expect((await set('pause')).status).toBe(200);
    expect(await queue.isPaused()).toBe(true);
    expect((await set('resume')).status).toBe(200);
    expect(await queue.isPaused()).toBe(false);
  });
});

describe('the console', () => {
  test('shows sales to people and to programs, with whatever a title holds', async () => {
    const sale = await openTestSale(stores, { title: `<script>alert("x")</script>`, units: 7 });
    for (const path of ['/', `/sales/${sale.id}`]) {
      const answer = await ask(path, { ...HTML, cookie });
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

  test('shows an audit that holds, and one that does not', async () => {
    const sale = await openTestSale(stores);
    const won = await winOne(stores, sale, 'b1');
    await placeOrders(stores, sale.id, [won]);
    const path = `/sales/${sale.id}/audit`;
    expect(await (await ask(path, BEARER)).json()).toMatchObject({ sale: sale.id, ok: true, violations: [] });
    expect(await (await ask(path, { ...HTML, cookie })).text()).toContain('Every promise holds');
    await loseClaim(stores, sale.id, won);
    expect(await (await ask(path, BEARER)).json()).toMatchObject({ ok: false });
    const page = await (await ask(path, { ...HTML, cookie })).text();
    expect(page).toContain('Promises are broken');
    expect(page).toContain(won.claimId);
  });

  test('changes a sale, from a form and from a program', async () => {
    const sale = await openTestSale(stores, { units: 2 });
    const path = `/sales/${sale.id}`;
    const form = (change: string, fields = {}) =>
      ask(`${path}/${change}`, { ...HTML, cookie, origin: url }, { method: 'POST', body: new URLSearchParams(fields) });
    const paused = await form('pause');
    expect([paused.status, paused.headers.get('location')]).toEqual([303, path]);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ state: 'paused' });
    expect((await form('restock', { units: '3' })).status).toBe(303);
    expect((await form('restock', { units: '0' })).status).toBe(400);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ units: 5, remaining: 5 });
    const seen = /name="generation" value="(\d+)"/.exec(await (await ask(path, { ...HTML, cookie })).text())?.[1] ?? '';
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
    '%s is a problem, not a crash',
    async path => {
      const answer = await ask(path, BEARER);
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    },
  );

  test('a body that is too large or no form is refused', async () => {
    const sale = await openTestSale(stores);
    const restock = (body: string, type: string) =>
      ask(`/sales/${sale.id}/restock`, { ...BEARER, 'content-type': type }, { method: 'POST', body });
    expect((await restock('x'.repeat(5_000), 'application/x-www-form-urlencoded')).status).toBe(413);
    expect((await restock('{"units":', 'application/json')).status).toBe(400);
    expect((await restock('{"units":2}', 'application/json')).status).toBe(200);
  });
});

describe('with stores that are away', () => {
  test('the process lives, is not ready, and every answer comes in time', async () => {
    const admin = await startAdmin({ REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://x@127.0.0.1:1/x' });
    expect((await fetch(`${admin}/healthz`)).status).toBe(200);
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    for (const path of ['/sales', '/sales/x', '/sales/x/audit']) {
      const answer = await fetch(admin + path, { headers: BEARER });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    }
  });

  test('an answer of many steps is given up as soon as one of a single step', async () => {
    const sale = await openTestSale(stores);
    const proxy = await startFaultProxy(stores.databaseUrl);
    try {
      const admin = await startAdmin({ DATABASE_URL: proxy.through(stores.databaseUrl) });
      const audit = () => fetch(`${admin}/sales/${sale.id}/audit`, { headers: { ...BEARER, ...HTML } });
      expect((await audit()).status).toBe(200);
      // Each statement is quick enough; all eight of them, one after the other, are not.
      proxy.set({ kind: 'latency', ms: 700 });
      const askedAt = performance.now();
      expect((await audit()).status).toBe(503);
      expect(performance.now() - askedAt).toBeLessThan(9_500);
    } finally {
      await proxy.close();
    }
  });

  test('without Redis the console shows what Postgres has, and a change is kept for later', async () => {
    const sale = await openTestSale(stores);
    const admin = await startAdmin({ REDIS_URL: 'redis://127.0.0.1:1' });
    const seen = await fetch(`${admin}/sales/${sale.id}`, { headers: BEARER });
    expect(await seen.json()).toMatchObject({ units: sale.units, inRedis: 'away', free: null });
    const paused = await fetch(`${admin}/sales/${sale.id}/pause`, { method: 'POST', headers: BEARER });
    expect(await paused.json()).toMatchObject({ state: 'paused', inRedis: false });
  });
});

describe('money', () => {
  test('a buyer’s page shows wallet, orders and statement, and refunds what is paid, asking about the unit', async () => {
    const sale = await openTestSale(stores, { units: 1, priceMinor: 500 });
    await creditWallets(stores.db, ['spender'], 700, 'EUR');
    const claim = await winOne(stores, sale, 'spender');
    await placeOrders(stores, sale.id, [claim]);
    await payOrder(stores, sale.id, claim.claimId, 'spender');
    const page = await (await ask('/buyers/spender', { ...HTML, cookie })).text();
    for (const text of ['EUR 2.00', 'EUR -5.00', claim.claimId, 'Refund, the unit is gone'])
      expect(page).toContain(text);
    const refund = (body: object) =>
      ask(
        `/orders/${claim.claimId}/refund`,
        { ...BEARER, 'content-type': 'application/json' },
        { method: 'POST', body: JSON.stringify(body) },
      );
    expect((await refund({})).status).toBe(400);
    expect(await (await refund({ restock: 'yes' })).json()).toMatchObject({ status: 'refunded', now: true });
    expect(await (await refund({ restock: 'yes' })).json()).toMatchObject({ status: 'refunded', now: false });
    expect(await (await ask('/buyers/spender', BEARER)).json()).toMatchObject({
      balances: [{ currency: 'EUR', balanceMinor: 700 }],
      orders: [{ status: 'refunded', reason: 'refunded_by_shop' }],
    });
  });

  test('webhooks that the shop did not take in are listed, and tried again', async () => {
    // The refund above was written down for the shop: say that it was given up.
    await stores.db.outboxEvent.updateMany({
      where: { kind: 'order.refunded' },
      data: { deadAt: new Date(), lastError: 'HTTP 500' },
    });
    expect(await (await ask('/money', { ...HTML, cookie })).text()).toContain('HTTP 500');
    expect(await (await ask('/webhooks/retry', BEARER, { method: 'POST' })).json()).toEqual({ revived: 1 });
    expect(await (await ask('/money', BEARER)).json()).toEqual({ dead: [], odd: [] });
  });
});

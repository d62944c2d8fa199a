import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { digestOf, entryOf } from '#core/identity/token-holders.js';
import type { Database } from '#core/postgres/database.js';
import { isSessionRevoked } from '#core/postgres/revoked-sessions.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { MINUTE_MS } from '#core/rules/clock.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { freePort } from '#stack/processes/free-port.js';
import { Revocations } from '../../apps/admin/http/revocations.js';
import { eventually } from '../support/eventually.js';
import { ADMIN_TOKEN, BEARER, cookieOf, HTML, logIn, useAdmin } from '../support/http/admin.js';
import { openTestSale, winOne } from '../support/sales.js';
import { type FaultProxy, startFaultProxy } from '../support/stores/fault-proxy.js';
import { useStores } from '../support/stores/stores.js';

const TOKENS = { reader: 'the token of a reader', seller: 'the token of a seller', cashier: 'the token of a cashier' };
type Name = keyof typeof TOKENS;

const entry = (name: Name, ...roles: string[]) => entryOf({ name, roles, digest: digestOf(TOKENS[name]) });
const OPERATORS = [entry('reader', 'read'), entry('seller', 'operate'), entry('cashier', 'money')].join('; ');

const stores = useStores();
const admin = useAdmin(stores, { OPERATORS, BOARD_WRITE: '1', ADMIN_HOSTS: 'console.shop.example' });
const { ask } = admin;

/** A second admin, with its metrics, and with a link to Postgres that can break. */
const another = { url: '', metricsPort: 0, link: undefined as FaultProxy | undefined };
beforeAll(async () => {
  another.link = await startFaultProxy(stores.databaseUrl);
  another.metricsPort = await freePort();
  another.url = await admin.startAnother({
    DATABASE_URL: another.link.through(stores.databaseUrl),
    METRICS_PORT: String(another.metricsPort),
    BOARD_WRITE: '1',
    HSTS: '0',
  });
});
afterAll(() => another.link?.close());

const readMetrics = async () => (await fetch(`http://127.0.0.1:${another.metricsPort}/metrics`)).text();

const as = (name: Name) => ({ authorization: `Bearer ${TOKENS[name]}` });
const WRONG = { authorization: 'Bearer a token of nobody at all' };

/** The lines of the first admin's log with a message. */
function linesWith(message: string): Record<string, unknown>[] {
  const lines = admin
    .log()
    .split('\n')
    .filter(line => line.includes(`"msg":"${message}"`));
  return lines.map(line => JSON.parse(line));
}

describe('roles', () => {
  test('each change needs its role, and every operator may read', async () => {
    const sale = await openTestSale(stores);
    const changes = ['pause', 'resume', 'restock', 'close'].map(change => `/sales/${sale.id}/${change}`);
    const selling = [...changes, '/SALES/x/pause', '/queues/api/queues/cancel-order/clean/completed'];
    const paying = ['/orders/00000000-0000-4000-8000-000000000000/refund', '/webhooks/retry'];
    const refusals = async (name: Name) => {
      const refused: string[] = [];
      for (const path of [...selling, ...paying, '/unknown']) {
        const answer = await ask(path, as(name), { method: path.startsWith('/queues') ? 'PUT' : 'POST' });
        if (answer.status === 403) refused.push(path);
        if (answer.status === 403) expect(await answer.json()).toMatchObject({ code: 'forbidden_role' });
      }
      return refused;
    };
    expect(await refusals('reader')).toEqual([...selling, ...paying, '/unknown']);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ state: 'open', units: sale.units });
    expect(await refusals('cashier')).toEqual([...selling, '/unknown']);
    expect(await refusals('seller')).toEqual([...paying, '/unknown']);
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ state: 'closed' });
    for (const path of ['/', `/sales/${sale.id}/audit`, '/money', '/buyers/x', '/queues/api/queues']) {
      for (const name of ['reader', 'seller', 'cashier'] as const) {
        expect([path, name, (await ask(path, as(name))).status]).toEqual([path, name, 200]);
      }
    }
  });

  test('an operator sees no button without its role', async () => {
    const sale = await openTestSale(stores, { units: 1, priceMinor: 0 });
    const claim = await winOne(stores, sale, 'spender');
    const { claimId } = claim;
    await placeOrders(stores, { saleId: sale.id, claims: [claim] });
    await payOrder(stores, { saleId: sale.id, claimId, buyerId: 'spender' });
    await stores.db.outboxEvent.create({
      data: { kind: 'order.placed', saleId: sale.id, orderId: claimId, payload: {}, deadAt: new Date() },
    });
    const pages = { [`/sales/${sale.id}`]: 'seller', '/buyers/spender': 'cashier', '/money': 'cashier' } as const;
    for (const [path, allowed] of Object.entries(pages)) {
      for (const name of ['reader', 'seller', 'cashier'] as const) {
        const page = await (await ask(path, { ...as(name), ...HTML })).text();
        const forms = [...page.matchAll(/method="post" action="(?!\/logout)/g)].length;
        expect([path, name, forms > 0]).toEqual([path, name, name === allowed]);
      }
    }
    const board = async (name: Name) => (await ask('/queues/api/queues', as(name))).text();
    expect(await board('reader')).toContain('"readOnlyMode":true');
    expect(await board('seller')).toContain('"readOnlyMode":false');
  });
});

describe('the log', () => {
  test('a login, a logout and a change name the operator, the address and the request', async () => {
    const answer = await logIn(admin.url, TOKENS.seller, { ...HTML, 'x-request-id': 'login-1' });
    const browser = { cookie: cookieOf(answer), origin: admin.url };
    await ask('/logout', { ...browser, 'x-request-id': 'logout-1' }, { method: 'POST' });
    const sale = await openTestSale(stores);
    const headers = { ...as('seller'), 'x-request-id': 'pause-1', 'x-forwarded-for': '203.0.113.9' };
    const paused = await ask(`/sales/${sale.id}/pause`, headers, { method: 'POST' });
    expect(paused.headers.get('x-request-id')).toBe('pause-1');
    const caller = { operator: 'seller', address: '127.0.0.1' };
    await eventually(() =>
      expect(linesWith('sale changed by an operator')).toContainEqual(
        expect.objectContaining({
          ...caller,
          requestId: 'pause-1',
          saleId: sale.id,
          change: 'pause',
          outcome: 'changed',
        }),
      ),
    );
    expect(linesWith('change requested by an operator')).toContainEqual(
      expect.objectContaining({
        ...caller,
        requestId: 'pause-1',
        path: `/sales/${sale.id}/pause`,
        forwardedFor: '203.0.113.9',
      }),
    );
    expect(linesWith('an operator logged in')).toContainEqual(
      expect.objectContaining({ ...caller, requestId: 'login-1' }),
    );
    expect(linesWith('an operator logged out')).toContainEqual(
      expect.objectContaining({ ...caller, requestId: 'logout-1' }),
    );
  });

  test('an id that could disturb the log is replaced', async () => {
    const given = 'a'.repeat(65);
    expect((await ask('/', { 'x-request-id': given })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('wrong tokens', () => {
  test('an address with ten wrong tokens is slowed, and the right token passes at once', async () => {
    expect(await readMetrics()).toContain('dropline_logins_total{outcome="failed"} 0');
    const guess = (n: number) =>
      fetch(`${another.url}/sales`, { headers: { ...WRONG, 'x-forwarded-for': `203.0.113.${n}` } });
    for (let n = 0; n < 5; n += 1) expect((await guess(n)).status).toBe(401);
    for (let n = 0; n < 5; n += 1) expect((await logIn(another.url, 'wrong', {})).status).toBe(401);
    const late = Promise.all([guess(6), logIn(another.url, 'wrong', {})]);
    const first = await Promise.race([late, logIn(another.url, ADMIN_TOKEN, {})]);
    expect(first).toHaveProperty('status', 303);
    expect((await fetch(`${another.url}/sales`, { headers: BEARER })).status).toBe(200);
    for (const answer of await late) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60']);
      const fields = ['ratelimit-policy', 'ratelimit'].map(name => answer.headers.get(name));
      expect(fields).toEqual(['"wrong-tokens";q=10;w=60', '"wrong-tokens";r=0;t=60']);
      expect(await answer.json()).toMatchObject({ code: 'too_many_requests' });
    }
    expect(await readMetrics()).toContain('dropline_logins_total{outcome="failed"} 12');
    expect(await readMetrics()).toContain('dropline_logins_total{outcome="done"} 1');
  });

  test('a hundred wrong tokens in a second leave at most two lines', async () => {
    const before = linesWith('login failed').length;
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => ask('/', WRONG)));
    const lines = linesWith('login failed').slice(before);
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(seconds + 1);
    expect(lines[0]).toMatchObject({ address: '127.0.0.1', path: '/' });
  });
});

describe('the host', () => {
  const statusOf = async (path: string, host: string) => {
    const { statusCode, body } = await request(admin.url + path, { headers: { ...BEARER, host } });
    await body.dump();
    return statusCode;
  };

  test.each(['evil.example', 'evil.example:3001', '127.0.0.1.evil.example', 'localhost.evil.example', 'a b'])(
    'the console does not answer as %s',
    async host => {
      for (const path of ['/sales', '/login', '/queues']) expect(await statusOf(path, host)).toBe(421);
      expect(await statusOf('/healthz', host)).toBe(200);
    },
  );

  test.each(['127.0.0.1:1', '[::1]:3001', '10.1.2.3', 'localhost', 'LOCALHOST:80', 'console.shop.example'])(
    'the console answers as %s',
    async host => expect(await statusOf('/sales', host)).toBe(200),
  );

  test('answers bind browsers to HTTPS for this host, and not with HSTS=0', async () => {
    expect((await ask('/login')).headers.get('strict-transport-security')).toBe('max-age=31536000');
    for (const path of ['/login', '/queues']) {
      const answer = await fetch(another.url + path, { headers: BEARER });
      expect([answer.status, answer.headers.get('strict-transport-security')]).toEqual([200, null]);
      expect(answer.headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('a session', () => {
  const browserOf = async (url: string) => ({ cookie: cookieOf(await logIn(url, ADMIN_TOKEN)), origin: url });

  test('a logout ends the session at every admin: at once for changes, within seconds for pages', async () => {
    const [first, second] = [await browserOf(admin.url), await browserOf(admin.url)];
    const read = async (url: string, browser: object) =>
      (await fetch(`${url}/sales`, { headers: { ...browser } })).status;
    for (const url of [admin.url, another.url]) {
      for (const browser of [first, second]) expect(await read(url, browser)).toBe(200);
    }
    for (const browser of [first, second]) {
      const left = await ask('/logout', browser, { method: 'POST' });
      const emptied = expect.stringMatching(/^dropline_admin=; Max-Age=0/);
      expect([left.status, left.headers.get('set-cookie')]).toEqual([303, emptied]);
      expect(await read(admin.url, browser)).toBe(401);
    }
    const headers = { ...first, origin: another.url };
    expect((await fetch(`${another.url}/sales/x/pause`, { method: 'POST', headers })).status).toBe(401);
    await eventually(async () => expect(await read(another.url, second)).toBe(401));
  });

  test('a logout counts, even if a look-up of the session began before it and ended afterwards', async () => {
    const operator = { name: 'ann', roles: ['read' as const], digest: '' };
    const session = { id: randomUUID(), operator, endsAt: new Date(Date.now() + MINUTE_MS) };
    // The first query connects, which may take longer than a look-up may.
    expect(await isSessionRevoked(stores.db, session.id)).toBe(false);
    let logout: Promise<void> | undefined;
    const heldUp = stores.db.$extends({
      query: {
        revokedSession: {
          async findUnique({ args, query }) {
            const found = await query(args);
            logout = revocations.add(session);
            return found;
          },
        },
      },
    }) as unknown as Database;
    const revocations = new Revocations(heldUp);
    expect(await revocations.includes(session, 'read')).toBe(false);
    await logout;
    expect(await revocations.includes(session, 'read')).toBe(true);
  });

  test('while Postgres is away, a known session reads and changes nothing', async () => {
    const [known, unknown] = [await browserOf(another.url), await browserOf(admin.url)];
    const send = async (browser: object, method: string, path: string) => {
      const init = { method, redirect: 'manual', headers: { ...browser, origin: another.url } } as const;
      return (await fetch(another.url + path, init)).status;
    };
    const board = '/queues/api/queues';
    const failures = async () =>
      Number(/store_errors_total{store="postgres"} (\d+)/.exec(await readMetrics())?.[1] ?? 0);
    expect(await send(known, 'GET', board)).toBe(200);
    const before = await failures();
    another.link?.set({ kind: 'cut' });
    // The session is looked up again after some seconds, which fails.
    const seen = new Set<number>();
    await eventually(async () => {
      seen.add(await send(known, 'GET', board));
      expect(await failures()).toBeGreaterThan(before);
    });
    expect([...seen]).toEqual([200]);
    expect(await send(known, 'PUT', `${board}/cancel-order/pause`)).toBe(503);
    expect(await send(unknown, 'GET', board)).toBe(503);
    expect(await stores.queues.of('')['cancel-order'].isPaused()).toBe(false);
    expect(await send(known, 'POST', '/logout')).toBe(503);
    expect(await send(known, 'GET', board)).toBe(401);
    another.link?.set({ kind: 'none' });
    expect(await send(known, 'POST', '/logout')).toBe(303);
    expect((await ask('/sales', known)).status).toBe(401);
  });
});

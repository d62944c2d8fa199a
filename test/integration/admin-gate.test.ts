import { describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { digestOf, entryOf } from '#core/identity/token-holders.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { freePort } from '#stack/processes/free-port.js';
import { eventually } from '../support/eventually.js';
import { ADMIN_TOKEN, BEARER, cookieOf, HTML, logIn, useAdmin } from '../support/http/admin.js';
import { openTestSale, winOne } from '../support/sales.js';
import { startFaultProxy } from '../support/stores/fault-proxy.js';
import { useStores } from '../support/stores/stores.js';

const TOKENS = { reader: 'the token of a reader', seller: 'the token of a seller', cashier: 'the token of a cashier' };
type Name = keyof typeof TOKENS;

const entry = (name: Name, ...roles: string[]) => entryOf({ name, roles, digest: digestOf(TOKENS[name]) });
const OPERATORS = [entry('reader', 'read'), entry('seller', 'operate'), entry('cashier', 'money')].join('; ');

const stores = useStores();
const admin = useAdmin(stores, { OPERATORS, BOARD_WRITE: '1', ADMIN_HOSTS: 'console.shop.example' });
const { ask } = admin;

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
    const { claimId } = await winOne(stores, sale, 'spender');
    await placeOrders(stores, { saleId: sale.id, claims: [await winOne(stores, sale, 'spender')] });
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
    const METRICS_PORT = String(await freePort());
    const another = await admin.startAnother({ METRICS_PORT });
    const metrics = async () => (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text();
    expect(await metrics()).toContain('dropline_logins_total{outcome="failed"} 0');
    const guess = (n: number) =>
      fetch(`${another}/sales`, { headers: { ...WRONG, 'x-forwarded-for': `203.0.113.${n}` } });
    for (let n = 0; n < 5; n += 1) expect((await guess(n)).status).toBe(401);
    for (let n = 0; n < 5; n += 1) expect((await logIn(another, 'wrong', {})).status).toBe(401);
    const late = Promise.all([guess(6), logIn(another, 'wrong', {})]);
    const first = await Promise.race([late, logIn(another, ADMIN_TOKEN, {})]);
    expect(first).toHaveProperty('status', 303);
    expect((await fetch(`${another}/sales`, { headers: BEARER })).status).toBe(200);
    for (const answer of await late) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60']);
      expect(await answer.json()).toMatchObject({ code: 'too_many_requests' });
    }
    expect(await metrics()).toContain('dropline_logins_total{outcome="failed"} 12');
    expect(await metrics()).toContain('dropline_logins_total{outcome="done"} 1');
  });

  test('a hundred wrong tokens in a second leave at most two lines', async () => {
    const before = linesWith('login failed').length;
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => ask('/', WRONG)));
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
    const lines = linesWith('login failed').slice(before);
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
    const another = await admin.startAnother({ HSTS: '0' });
    for (const path of ['/login', '/queues']) {
      const answer = await fetch(another + path, { headers: BEARER });
      expect([answer.status, answer.headers.get('strict-transport-security')]).toEqual([200, null]);
      expect(answer.headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('a session', () => {
  const browserOf = async (url: string) => ({ cookie: cookieOf(await logIn(url, ADMIN_TOKEN)), origin: url });

  test('a logout ends the session at every admin', async () => {
    const another = await admin.startAnother();
    const browser = await browserOf(admin.url);
    const read = async (url: string) => (await fetch(`${url}/sales`, { headers: browser })).status;
    expect([await read(admin.url), await read(another)]).toEqual([200, 200]);
    const left = await ask('/logout', browser, { method: 'POST' });
    expect([left.status, left.headers.get('set-cookie')]).toEqual([
      303,
      expect.stringMatching(/^dropline_admin=; Max-Age=0/),
    ]);
    expect(await read(admin.url)).toBe(401);
    const change = await fetch(`${another}/sales/x/pause`, {
      method: 'POST',
      headers: { ...browser, origin: another },
    });
    expect(change.status).toBe(401);
    expect(await read(another)).toBe(401);
  });

  test('another admin notices a logout within seconds without a change', async () => {
    const another = await admin.startAnother();
    const browser = await browserOf(admin.url);
    const read = async () => (await fetch(`${another}/sales`, { headers: browser })).status;
    expect(await read()).toBe(200);
    await ask('/logout', browser, { method: 'POST' });
    await eventually(async () => expect(await read()).toBe(401));
  });

  test('while Postgres is away, a known session reads and changes nothing', async () => {
    const proxy = await startFaultProxy(stores.databaseUrl);
    try {
      const DATABASE_URL = proxy.through(stores.databaseUrl);
      const another = await admin.startAnother({ DATABASE_URL, BOARD_WRITE: '1' });
      const [known, unknown] = [await browserOf(another), await browserOf(admin.url)];
      const board = async (browser: Record<string, string>, method = 'GET', verb = '') => {
        const path = `/queues/api/queues${verb && `/cancel-order/${verb}`}`;
        return (await fetch(another + path, { method, headers: { ...browser, origin: another } })).status;
      };
      expect(await board(known)).toBe(200);
      proxy.set({ kind: 'cut' });
      expect(await board(known)).toBe(200);
      expect(await board(known, 'PUT', 'pause')).toBe(503);
      expect(await board(unknown)).toBe(503);
      expect(await stores.queues['cancel-order'].isPaused()).toBe(false);
      const out = await fetch(`${another}/logout`, { method: 'POST', headers: { ...known, origin: another } });
      expect([out.status, out.headers.get('set-cookie')]).toEqual([503, null]);
      expect(await board(known)).toBe(401);
      proxy.set({ kind: 'none' });
      const again = await fetch(`${another}/logout`, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...known, origin: another },
      });
      expect(again.status).toBe(303);
      expect((await ask('/sales', known)).status).toBe(401);
    } finally {
      await proxy.close();
    }
  });
});

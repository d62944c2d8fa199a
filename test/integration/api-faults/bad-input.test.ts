import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { signReceipt, verifyReceipt } from '#core/identity/receipt.js';
import { issueToken } from '#core/identity/token.js';
import { TOKEN_REFUSALS, type TokenRefusal } from '#core/identity/token-refusal.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { bearer, SECRET, useApi } from '../../support/http/api.js';
import { sendRaw } from '../../support/http/raw-request.js';

/** The secret that is accepted beside SECRET, as while it is rotated. */
const OTHER_SECRET = 'the next secret of 32 characters..';

/** The time in which a client has to send its headers by Node's own default, in ms. */
const NODE_HEADERS_MS = 60_000;

const api = useApi({ AUTH_SECRET_OTHER: OTHER_SECRET });

const CALLS = [
  ['POST', '/buy/'],
  ['GET', '/order-status/'],
  ['POST', '/pay/'],
  ['POST', '/cancel/'],
] as const;

const json64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Makes a token by hand, so that it is wrong in one way only. */
function token(
  payload: object,
  header: object = { alg: 'HS256', typ: 'JWT' },
  secret = SECRET,
  hash = 'sha256',
): string {
  const text = `${json64(header)}.${json64(payload)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

const soon = () => Math.floor(Date.now() / 1_000) + 600;

describe('tokens', () => {
  const made = (payload: object) => `Bearer ${token({ sub: 'ann', exp: soon(), ...payload })}`;
  const wrong: [string, TokenRefusal, () => string | undefined][] = [
    ['none', 'missing', () => undefined],
    ['not a bearer token', 'scheme', () => `Basic ${Buffer.from('ann:x').toString('base64')}`],
    ['an empty one', 'scheme', () => 'Bearer '],
    ['no token', 'malformed', () => 'Bearer a.b.c'],
    ['another secret', 'signature', () => `Bearer ${issueToken('another secret of 32 characters..', 'ann')}`],
    ['a changed payload', 'signature', () => made({}).replace(/\.[^.]+\./, `.${json64({ sub: 'bob', exp: soon() })}.`)],
    ['no signature', 'signature', () => made({}).replace(/\.[^.]+$/, '.')],
    ['alg none', 'signature', () => `Bearer ${json64({ alg: 'none' })}.${json64({ sub: 'ann', exp: soon() })}.`],
    [
      'alg HS512',
      'algorithm',
      () => `Bearer ${token({ sub: 'ann', exp: soon() }, { alg: 'HS512' }, SECRET, 'sha512')}`,
    ],
    ['alg RS256', 'algorithm', () => `Bearer ${token({ sub: 'ann', exp: soon() }, { alg: 'RS256', kid: 'x' })}`],
    ['an expired one', 'expired', () => made({ exp: soon() - 1_200 })],
    ['one that is not valid yet', 'not_yet_valid', () => made({ nbf: soon() })],
    ['one without exp', 'no_expiry', () => made({ exp: undefined })],
    ['exp of another type', 'malformed', () => made({ exp: 'never' })],
    ['one for a hundred years', 'lives_too_long', () => made({ exp: soon() + 4e9 })],
    ['one for something else', 'audience', () => made({ aud: 'password-reset', iss: 'mail' })],
    ['one without sub', 'no_buyer', () => made({ sub: undefined })],
    ['sub of another type', 'buyer_form', () => made({ sub: 7 })],
    ['an invalid sub', 'buyer_form', () => made({ sub: 'ann bob' })],
    ['too long a sub', 'buyer_form', () => made({ sub: 'a'.repeat(256) })],
    ['an empty sub', 'buyer_form', () => made({ sub: '' })],
  ];

  test.each(wrong)('%s: 401 everywhere, with the reason %s', async (_name, reason, authorization) => {
    const sale = await api.open();
    const value = authorization();
    for (const [method, path] of CALLS) {
      const answer = await api.send(path + sale.id, {
        method,
        ...(value ? { headers: { authorization: value } } : {}),
      });
      const detail = `${reason}: ${TOKEN_REFUSALS[reason]}`;
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated', detail } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test.each(['auth0|64f1c2', 'gid://shopify/Customer/207', '001234.abcd.5678', 'Mia@Example.com'])(
    'the sub %s of a usual issuer buys, has one unit, and keeps its receipt',
    async sub => {
      const sale = await api.open();
      const headers = { authorization: made({ sub }) };
      const bought = await api.send(`/buy/${sale.id}`, { method: 'POST', headers });
      expect(bought.status).toBe(202);
      // One person writes a mail address in two ways.
      const again = { authorization: made({ sub: sub.replace('Mia', 'mia') }) };
      expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers: again })).body.unit).toBe(bought.body.unit);
      const shown = await api.send(`/order-status/${sale.id}?receipt=${bought.body.receipt}`, { headers });
      expect(shown.body).toMatchObject({ status: 'queued', claimId: bought.body.claimId });
    },
  );

  test('a token and a receipt by the second secret are valid, and answers are signed by the first', async () => {
    const sale = await api.open();
    const claim = { saleId: sale.id, buyerId: 'ann', claimId: randomUUID(), unit: 1, wonAtMs: Date.now() };
    const headers = { authorization: `Bearer ${issueToken(OTHER_SECRET, 'ann')}` };
    const receipt = signReceipt(OTHER_SECRET, claim);
    const shown = await api.send(`/order-status/${sale.id}?receipt=${receipt}`, { headers });
    expect(shown.body).toMatchObject({ status: 'queued', claimId: claim.claimId });
    const { body } = await api.post(`/buy/${sale.id}`, 'bob');
    expect(verifyReceipt([SECRET], String(body.receipt), { saleId: sale.id, buyerId: 'bob' })).toBeDefined();
  });

  test('a valid token made by hand is accepted', async () => {
    const sale = await api.open();
    const headers = { authorization: `bearer ${token({ sub: 'ann', exp: soon() })}` };
    expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers })).status).toBe(202);
  });
});

describe('sales', () => {
  test.each(['', 'a%20b', 'a.b', 'a'.repeat(65), '%E0%A4%A', '__proto__%00', '{x}', 'a/b'])(
    'an invalid id (%p): 400, or 404 where the path is another one',
    async id => {
      for (const [method, path] of [...CALLS, ['GET', '/sales/'] as const]) {
        const answer = await api.send(path + id, { method, headers: bearer('ann') });
        expect([400, 404]).toContain(answer.status);
        expect(answer.headers.get('content-type')).toBe('application/problem+json');
        if (id && !id.includes('/')) expect(answer.body.code).toBe('invalid_request');
      }
    },
  );

  test('an unknown sale: 404 everywhere, also for ids that every object has', async () => {
    await markRegistryWhole(api.redis, await readRunId(api.redis));
    for (const id of ['nowhere', '__proto__', 'constructor']) {
      for (const [method, path] of [...CALLS, ['GET', '/sales/'] as const]) {
        const answer = await api.send(path + id, { method, headers: bearer('ann') });
        expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
      }
    }
  });
});

describe('bodies', () => {
  const bodies: [string, RequestInit][] = [
    ['JSON', { body: '{"buyerId":"bob","__proto__":{"x":1}}', headers: { 'content-type': 'application/json' } }],
    ['broken JSON', { body: '{"', headers: { 'content-type': 'application/json' } }],
    ['no media type', { body: new Uint8Array([0, 1, 2]) }],
    ['a kilobyte', { body: 'x'.repeat(1_024) }],
  ];

  test.each(bodies)('%s is ignored', async (_name, init) => {
    const sale = await api.open();
    const headers = { ...bearer('ann'), ...(init.headers as Record<string, string>) };
    expect((await api.send(`/buy/${sale.id}`, { ...init, method: 'POST', headers })).status).toBe(202);
    expect((await api.send(`/cancel/${sale.id}`, { ...init, method: 'POST', headers })).status).toBe(202);
    // Only the token names the buyer.
    expect((await api.get(`/order-status/${sale.id}`, 'bob')).body).toEqual({ status: 'none' });
  });

  test.each(['/buy/', '/pay/', '/cancel/'])('more than a kilobyte to %s: 413, and the connection ends', async path => {
    const sale = await api.open();
    for (const size of [1_025, 3_000_000]) {
      const answer = await api.send(path + sale.id, {
        method: 'POST',
        headers: bearer('ann'),
        body: 'x'.repeat(size),
      });
      expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
      expect(answer.headers.get('connection')).toBe('close');
    }
  });

  test('a body that is declared large and never sent is refused at once', async () => {
    const answer = await sendRaw(api.port, 'POST /buy/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a body in chunks is counted', async () => {
    const sale = await api.open();
    const head = (name: string) =>
      `POST /buy/${sale.id} HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer(name).authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const small = await sendRaw(api.port, `${head('ann')}5\r\nhello\r\n0\r\n\r\n`, answer =>
      answer.includes('claimId'),
    );
    expect(small).toMatch(/^HTTP\/1\.1 202 /);
    const large = await sendRaw(api.port, `${head('bob')}${`400\r\n${'x'.repeat(1_024)}\r\n`.repeat(3)}`);
    expect(large).toMatch(/^HTTP\/1\.1 413 /);
    expect((await api.get(`/order-status/${sale.id}`, 'bob')).body).toEqual({ status: 'none' });
  });
});

describe('requests', () => {
  test.each([
    ['GET', '/buy/x', 'POST'],
    ['PUT', '/buy/x', 'POST'],
    ['POST', '/order-status/x', 'GET, HEAD'],
    ['GET', '/pay/x', 'POST'],
    ['DELETE', '/cancel/x', 'POST'],
    ['POST', '/sales/x', 'GET, HEAD'],
  ])('%s %s: 405 with Allow', async (method, path, allow) => {
    const answer = await api.send(path, { method, headers: bearer('ann') });
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test.each(['/nothing', '/buy', '/assets/../package.json', '/assets/nothing.js', '/guest-token', '/metrics'])(
    '%s: 404',
    async path => {
      expect(await api.post(path, 'ann')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    },
  );

  test.each([
    ['GET', '/ORDER-STATUS/x'],
    ['GET', '/order-status/x/'],
    ['GET', '/Sales/x'],
    ['GET', '/sales/x/'],
    ['POST', '/Buy/x'],
    ['POST', '/buy/x/'],
    ['POST', '/buy/'],
    ['POST', '/pay/x/'],
    ['GET', '/S/x'],
    ['GET', '/s/x/'],
    ['GET', '/HEALTHZ'],
    ['POST', '/Webhooks/payments/signed-webhook'],
  ])('%s %s: 404, as a path has one spelling', async (method, path) => {
    const answer = await api.send(path, { method, headers: bearer('ann') });
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('a text that is not HTTP: 400', async () => {
    const answer = await sendRaw(api.port, 'nonsense\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
    expect(answer).toMatch(/"code":"invalid_request"/);
  });

  test('no Host: 400 with a problem document', async () => {
    const answer = await sendRaw(api.port, 'GET /healthz HTTP/1.1\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/application\/problem\+json.*"code":"invalid_request"/s);
  });

  test('headers beyond 8 kB: 431', async () => {
    const answer = await sendRaw(api.port, `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toMatch(/"code":"headers_too_large"/);
  });

  test('headers that never end, or never begin: 408, before the limit of Node is over', async () => {
    const startedAt = performance.now();
    const beginnings = ['GET /healthz HTTP/1.1\r\nHost: x\r\n', 'POST /buy/x HTT', ''];
    const [headers, line] = await Promise.all(beginnings.map(text => sendRaw(api.port, text)));
    expect(performance.now() - startedAt).toBeLessThan(NODE_HEADERS_MS);
    for (const answer of [headers, line]) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});

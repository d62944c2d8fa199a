import { describe, expect, test } from '@jest/globals';
import { buyerIdOf } from '#core/identity/buyer-id.js';
import { issueToken } from '#core/identity/token.js';
import { bearer, SECRET, useApi } from '../../support/http/api.js';

const api = useApi({ GUEST_TOKENS: true });

const cookieOf = (headers: Headers) => headers.getSetCookie()[0]?.split(';')[0] ?? '';

describe('POST /guest-token', () => {
  test('makes a visitor a buyer, by a token and by a cookie that no script can read', async () => {
    const { status, body, headers } = await api.post('/guest-token');
    expect(status).toBe(200);
    expect(body).toEqual({ buyerId: expect.stringMatching(/^guest-/), token: expect.any(String) });
    expect(headers.getSetCookie()[0]).toMatch(
      /^dropline_token=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const sale = await api.open();
    const authorization = `Bearer ${body.token}`;
    expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers: { authorization } })).status).toBe(202);
  });

  const askWith = (token: string) =>
    api.send('/guest-token', { method: 'POST', headers: { cookie: `dropline_token=${token}` } });
  /** The rest of a token's life, in s. */
  const lifeOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp - Date.now() / 1_000;

  test('gives a guest whose token ends soon a new one for a day, as the cookie promises', async () => {
    const buyerId = String((await api.post('/guest-token')).body.buyerId);
    const dying = issueToken(SECRET, buyerId, { lifeMs: 60_000 });
    const { body, headers } = await askWith(dying);
    expect(body.buyerId).toBe(buyerId);
    expect(lifeOf(String(body.token))).toBeGreaterThan(86_000);
    expect(headers.getSetCookie()[0]).toContain(`dropline_token=${body.token}; Max-Age=86400;`);
  });

  test('leaves a buyer of the shop the token and the cookie, which live as long as the shop says', async () => {
    // The id is made of the name. A shop may call buyers guests, too.
    for (const name of ['auth0|ann', 'guest-7']) {
      const token = issueToken(SECRET, name, { lifeMs: 60_000 });
      const { body, headers } = await askWith(token);
      expect(body).toEqual({ buyerId: buyerIdOf(name), token });
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  test('makes a visitor whose token is not valid another buyer', async () => {
    const { buyerId } = (await api.post('/guest-token')).body;
    const { body, headers } = await askWith('x');
    expect(body.buyerId).toMatch(/^guest-/);
    expect(body.buyerId).not.toBe(buyerId);
    expect(cookieOf(headers)).toBe(`dropline_token=${body.token}`);
  });

  test('from the page of another site: 403', async () => {
    const answer = await api.send('/guest-token', { method: 'POST', headers: { origin: 'https://elsewhere.example' } });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden_origin' } });
  });
});

describe('a cookie', () => {
  const allowed: [string, () => Record<string, string>][] = [
    ['the same Origin', () => ({ origin: api.url })],
    ['Sec-Fetch-Site: same-origin', () => ({ 'sec-fetch-site': 'same-origin' })],
  ];
  const refused: [string, () => Record<string, string>][] = [
    ['no header that tells its origin', () => ({})],
    ['another Origin', () => ({ origin: 'https://elsewhere.example' })],
    ['another port', () => ({ origin: `http://127.0.0.1:${api.port + 1}` })],
    ['Origin: null', () => ({ origin: 'null' })],
    ['another host of the same site', () => ({ 'sec-fetch-site': 'same-site', origin: api.url })],
    ['Sec-Fetch-Site: cross-site', () => ({ 'sec-fetch-site': 'cross-site' })],
  ];
  const callsWith = async (headers: Record<string, string>) => {
    const sale = await api.open();
    const cookie = cookieOf((await api.post('/guest-token')).headers);
    const sent = { cookie, ...headers };
    const bought = await api.send(`/buy/${sale.id}`, { method: 'POST', headers: sent });
    const cancelled = await api.send(`/cancel/${sale.id}`, { method: 'POST', headers: sent });
    const status = await api.send(`/order-status/${sale.id}`, { headers: sent });
    return { bought, cancelled, status };
  };

  test.each(allowed)('with %s may buy', async (_name, headers) => {
    const { bought, cancelled } = await callsWith(headers());
    expect([bought.status, cancelled.status]).toEqual([202, 202]);
  });

  test.each(refused)('with %s may only read: 403 for the rest', async (_name, headers) => {
    const { bought, cancelled, status } = await callsWith(headers());
    for (const answer of [bought, cancelled]) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden_origin' } });
    }
    expect(status).toMatchObject({ status: 200, body: { status: 'none' } });
  });

  test('is ignored beside a header, even a wrong one', async () => {
    const sale = await api.open();
    const cookie = cookieOf((await api.post('/guest-token')).headers);
    const wrong = await api.send(`/order-status/${sale.id}`, { headers: { cookie, authorization: 'Bearer x' } });
    expect(wrong.status).toBe(401);
    const headers = { cookie, ...bearer('ann') };
    expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers })).status).toBe(202);
    expect((await api.get(`/order-status/${sale.id}`, 'ann')).body.status).toBe('queued');
  });
});

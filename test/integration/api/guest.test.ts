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

  test('keeps the identity of a buyer', async () => {
    const first = await api.post('/guest-token');
    const headers = { cookie: cookieOf(first.headers) };
    const again = await api.send('/guest-token', { method: 'POST', headers });
    expect(again.body).toEqual(first.body);
    // A buyer of the shop stays that buyer, with an id that was made of the name, and for no longer than the shop says.
    const token = issueToken(SECRET, 'auth0|ann', 60_000);
    const shops = await api.send('/guest-token', { method: 'POST', headers: { cookie: `dropline_token=${token}` } });
    expect(shops.body).toEqual({ buyerId: buyerIdOf('auth0|ann'), token });
    const stranger = await api.send('/guest-token', { method: 'POST', headers: { cookie: 'dropline_token=x' } });
    expect(stranger.body.buyerId).not.toBe(first.body.buyerId);
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

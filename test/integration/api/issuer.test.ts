import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Issuer } from '#core/identity/issuer.js';
import type { TokenRefusal } from '#core/identity/token-refusal.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { DAY_MS } from '#core/rules/clock.js';
import { eventually } from '../../support/eventually.js';
import { bearer, useApi } from '../../support/http/api.js';
import { AUDIENCE, startIssuer } from '../../support/http/issuer.js';
import { confusedToken, type SigningKey, signingKey } from '../../support/http/signing-key.js';

// Tokens of the shop's own issuer, here a real HTTP server.

const rsa = signingKey('rsa');
const ec = signingKey('ec', 'ES256');
const ed = signingKey('ed', 'EdDSA');
const stranger = signingKey('rsa');

const issuer = await startIssuer(rsa.jwk, ec.jwk, ed.jwk);
afterAll(() => issuer.stop());
const api = useApi({ AUTH_JWKS_URL: issuer.jwksUrl, AUTH_ISSUER: issuer.name, AUTH_AUDIENCE: AUDIENCE });

/** The shortest pause between two readings of an issuer's keys (core/identity/issuer.ts), in ms. */
const PAUSE_MS = 5_000;

const IN_AN_HOUR = Math.floor(Date.now() / 1_000) + 3_600;

const show = (token: string) => api.send('/order-status/nowhere', { headers: { authorization: `Bearer ${token}` } });

/** Asks for a status with a token. @returns the HTTP status: 404 for a valid token, as the sale doesn't exist */
const ask = async (token: string) => (await show(token)).status;

const KNOWN = 404;

describe('a token of the issuer', () => {
  beforeEach(async () => markRegistryWhole(api.redis, await readRunId(api.redis)));

  test.each([rsa, ec, ed])('names its buyer, signed with $algorithm', async key => {
    const sale = await api.open();
    const headers = { authorization: `Bearer ${issuer.token(key, { sub: 'bea' })}` };
    expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers })).status).toBe(202);
    expect((await api.get(`/order-status/${sale.id}`, 'bea')).body).toMatchObject({ status: 'queued' });
  });

  test('may have several audiences', async () => {
    expect(await ask(issuer.token(rsa, { aud: ['shop', AUDIENCE] }))).toBe(KNOWN);
  });

  test('is valid beside one that is signed with AUTH_SECRET', async () => {
    expect((await api.send('/order-status/nowhere', { headers: bearer('ann') })).status).toBe(KNOWN);
  });

  const wrong: [string, () => string, TokenRefusal][] = [
    ['of another issuer', () => issuer.token(rsa, { iss: 'https://elsewhere.example/' }), 'issuer'],
    ['of no issuer', () => issuer.token(rsa, { iss: undefined }), 'issuer'],
    ['for another audience', () => issuer.token(rsa, { aud: 'shop' }), 'audience'],
    ['for an audience with a longer name', () => issuer.token(rsa, { aud: `${AUDIENCE}-admin` }), 'audience'],
    ['for audiences with longer names', () => issuer.token(rsa, { aud: [`${AUDIENCE}-admin`] }), 'audience'],
    ['for an audience with a shorter name', () => issuer.token(rsa, { aud: AUDIENCE.slice(0, -1) }), 'audience'],
    ['without an audience', () => issuer.token(rsa, { aud: undefined }), 'audience'],
    ['that has ended', () => issuer.token(rsa, { exp: IN_AN_HOUR - 7_200 }), 'expired'],
    ['that never ends', () => issuer.token(rsa, { exp: undefined }), 'no_expiry'],
    ['that is not valid yet', () => issuer.token(rsa, { nbf: IN_AN_HOUR }), 'not_yet_valid'],
    ['that lives for a hundred years', () => issuer.token(rsa, { exp: IN_AN_HOUR + 4e9 }), 'lives_too_long'],
    ['of no buyer', () => issuer.token(rsa, { sub: undefined }), 'no_buyer'],
    ['with an invalid buyer id', () => issuer.token(rsa, { sub: 'ann bob' }), 'buyer_form'],
    ['without a key id', () => issuer.token(rsa, {}, { kid: undefined }), 'unknown_key'],
    ['with a key id that is no text', () => issuer.token(rsa, {}, { kid: 7 }), 'unknown_key'],
    ['with a key id that every object has', () => issuer.token(rsa, {}, { kid: '__proto__' }), 'unknown_key'],
    ['with the id of another key', () => issuer.token(rsa, {}, { kid: 'ec' }), 'algorithm'],
    ['signed with an unknown key', () => issuer.token(stranger), 'signature'],
    ['with another algorithm of its key', () => issuer.token(rsa, {}, { alg: 'PS256' }), 'algorithm'],
    ['with the algorithm of another key', () => issuer.token(rsa, {}, { alg: 'ES256' }), 'algorithm'],
    ['without a signature', () => issuer.token(rsa).replace(/[^.]+$/, ''), 'signature'],
    ['with alg none', () => issuer.token(rsa, {}, { alg: 'none' }).replace(/[^.]+$/, ''), 'signature'],
    ['signed with the public key as a secret (PEM)', () => confusedToken(issuer.token(rsa), rsa, 'pem'), 'signature'],
    ['signed with the public key as a secret (DER)', () => confusedToken(issuer.token(rsa), rsa, 'der'), 'signature'],
    ['with a critical extension', () => issuer.token(rsa, {}, { crit: ['exp'], exp: 1 }), 'critical'],
    [
      'that contains a key of its own',
      () => issuer.token(stranger, {}, { jwk: stranger.jwk, kid: 'rsa' }),
      'signature',
    ],
  ];

  test.each(wrong)('%s: 401, and the reason', async (_name, token, reason) => {
    // While the keys are read once more because of an unknown one, the answer is 503.
    await eventually(async () => {
      const { status, body } = await show(token());
      expect({ status, reason: String(body.detail).split(':')[0] }).toEqual({ status: 401, reason });
    });
  });

  test('names the same buyer as one that is signed with AUTH_SECRET', async () => {
    const sale = await api.open();
    const headers = { authorization: `Bearer ${issuer.token(ed, { sub: 'auth0|ann' })}` };
    expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers })).status).toBe(202);
    expect((await api.get(`/order-status/${sale.id}`, 'auth0|ann')).body).toMatchObject({ status: 'queued' });
  });

  test('that names another address for its keys is not followed there', async () => {
    const elsewhere = await startIssuer(stranger.jwk);
    const header = { jku: elsewhere.jwksUrl, x5u: elsewhere.jwksUrl, kid: 'theirs' };
    await ask(issuer.token(stranger, { iss: elsewhere.name }, header));
    expect(elsewhere.reads).toBe(0);
    await elsewhere.stop();
  });
});

describe('the keys of the issuer', () => {
  beforeEach(async () => markRegistryWhole(api.redis, await readRunId(api.redis)));

  test('are read again for the first token of a new key, which may have to be sent twice', async () => {
    const next = signingKey('next');
    issuer.published = [rsa.jwk, next.jwk];
    const answers = new Set<number>();
    await eventually(async () => {
      answers.add(await ask(issuer.token(next)));
      expect([...answers]).toContain(KNOWN);
    });
    expect(await ask(issuer.token(next))).toBe(KNOWN);
    expect(await ask(issuer.token(rsa))).toBe(KNOWN);
    // The withdrawn key is no longer accepted.
    expect(await ask(issuer.token(ec))).not.toBe(KNOWN);
    issuer.published = [rsa.jwk, ec.jwk, ed.jwk];
  });

  test('are read at most once per pause for 500 tokens with unknown key ids', async () => {
    const before = issuer.reads;
    const startedAt = performance.now();
    const storm = Array.from({ length: 500 }, (_, i) => ask(issuer.token(ed, {}, { kid: `forged-${i}` })));
    for (const status of await Promise.all(storm)) expect([401, 503]).toContain(status);
    // On a busy machine the tokens take longer than the pause between two readings.
    const pauses = Math.floor((performance.now() - startedAt) / PAUSE_MS);
    expect(issuer.reads - before).toBeLessThanOrEqual(1 + pauses);
  });

  test('stay valid while the issuer is down, and an unknown key id is then answered 503', async () => {
    await issuer.stop();
    await eventually(async () => {
      const headers = { authorization: `Bearer ${issuer.token(ed, {}, { kid: 'unknown' })}` };
      const answer = await api.send('/order-status/nowhere', { headers });
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('1');
    });
    expect(await ask(issuer.token(rsa))).toBe(KNOWN);
    expect((await api.get('/readyz')).status).toBe(200);
    await issuer.start();
  });
});

/** Shorter times than in production, so that the tests are quick. */
const TIMES = { readEveryMs: 50, pauseMs: 20 };

describe('a list of keys', () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  /** Starts an issuer and a reader of its keys. */
  async function reader(...published: unknown[]) {
    const place = await startIssuer(...published);
    const rules = { audience: AUDIENCE, buyerClaim: 'sub', lifeMaxMs: DAY_MS };
    const opened = new Issuer({ url: place.jwksUrl, issuer: place.name, ...rules }, TIMES);
    endings.push(
      () => opened.close(),
      () => place.stop(),
    );
    const buyerOf = (key: SigningKey) => {
      const verdict = opened.verify(place.token(key));
      return verdict?.kind === 'buyer' ? verdict.buyerId : undefined;
    };
    return { place, opened, buyerOf };
  }

  test('is read repeatedly, so that a withdrawn key is no longer accepted', async () => {
    const { place, buyerOf } = await reader(rsa.jwk, ec.jwk);
    await eventually(() => expect(buyerOf(rsa)).toBe('ann'));
    place.published = [ec.jwk];
    await eventually(() => expect(() => buyerOf(rsa)).toThrow(/being read/));
    expect(buyerOf(ec)).toBe('ann');
  });

  test.each<[string, object]>([
    ['an error', { status: 500, body: '{}' }],
    ['no list of keys', { status: 200, body: '{"keys":{}}' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['an empty list', { status: 200, body: '{"keys":[]}' }],
    ['too long a list', { status: 200, body: `{"keys":[${'{},'.repeat(200_000)}{}]}` }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }],
  ])('answered with %s leaves the last keys valid', async (_name, answer) => {
    const { place, opened, buyerOf } = await reader(rsa.jwk);
    await eventually(() => expect(opened.ready).toBe(true));
    place.answer = answer as typeof place.answer;
    const reads = place.reads;
    await eventually(() => expect(place.reads).toBeGreaterThan(reads + 1));
    expect(buyerOf(rsa)).toBe('ann');
  });

  test('is read once the issuer is up, if it was down at the start', async () => {
    const { place, opened, buyerOf } = await reader(rsa.jwk);
    expect(opened.ready).toBe(false);
    await place.stop();
    expect(() => buyerOf(rsa)).toThrow(/being read/);
    await place.start();
    await eventually(() => expect(buyerOf(rsa)).toBe('ann'));
  });

  test('that was not read yet refuses no key, also within the pause after a failed reading', async () => {
    const place = await startIssuer(rsa.jwk);
    place.answer = { status: 500 };
    const rules = { audience: AUDIENCE, buyerClaim: 'sub', lifeMaxMs: DAY_MS };
    const times = { readEveryMs: DAY_MS, pauseMs: DAY_MS };
    const opened = new Issuer({ url: place.jwksUrl, issuer: place.name, ...rules }, times);
    endings.push(
      () => opened.close(),
      () => place.stop(),
    );
    expect(() => opened.verify(place.token(rsa))).toThrow(/being read/);
    await eventually(() => expect(place.reads).toBe(1));
    expect(() => opened.verify(place.token(rsa))).toThrow(/being read/);
  });

  const weak = signingKey('weak');
  test.each<[string, SigningKey, object]>([
    ['a secret', rsa, { kty: 'oct', kid: 'rsa', k: 'c2VjcmV0' }],
    ['no id', rsa, { ...rsa.jwk, kid: undefined }],
    ['a private key', weak, { ...weak.privateKey.export({ format: 'jwk' }), kid: 'weak' }],
    ['another purpose', rsa, { ...rsa.jwk, use: 'enc' }],
    ['another algorithm', rsa, { ...rsa.jwk, alg: 'RS512' }],
    ['a part missing', rsa, { ...rsa.jwk, n: undefined }],
  ])('may have a key with %s, which is ignored', async (_name, key, jwk) => {
    const { opened, buyerOf } = await reader(ec.jwk, 7, null, jwk);
    await eventually(() => expect(opened.ready).toBe(true));
    await eventually(() => expect(buyerOf(ec)).toBe('ann'));
    expect(named(() => buyerOf(key))).toBeUndefined();
  });
});

/** Returns the buyer; undefined also while the keys can't tell. */
function named(verify: () => string | undefined): string | undefined {
  try {
    return verify();
  } catch {
    return undefined;
  }
}

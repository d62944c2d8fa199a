import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { buyerIdOf } from '#core/identity/buyer-id.js';
import { createBuyerVerifier, createIssuerTokenVerifier, issueToken } from '#core/identity/token.js';
import type { TokenRefusal } from '#core/identity/token-refusal.js';
import { signingKey, signToken } from '../../../support/http/signing-key.js';

const SECRET = 'a secret of more than thirty-two characters';
const OTHER_SECRET = 'another secret of thirty-two characters!';
const DAY_SECONDS = 86_400;
const RULES = { audience: undefined, lifeMaxMs: 31 * DAY_SECONDS * 1_000 };
const verify = createBuyerVerifier([SECRET], RULES);

const NOW = Math.floor(Date.now() / 1_000);
const IN_AN_HOUR = NOW + 3_600;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Creates a token by hand, with any header and payload. */
function forge(payload: object, header: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256'): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac(hash, SECRET).update(text).digest('base64url')}`;
}

const valid = (payload: object) => forge({ sub: 'buyer-1', exp: IN_AN_HOUR, ...payload });
const buyer = (buyerId: string | undefined) => ({ kind: 'buyer', buyerId });
const refused = (reason: TokenRefusal) => ({ kind: 'refused', reason });

test('a token names its buyer', () => {
  expect(verify(issueToken(SECRET, 'buyer-1'))).toEqual(buyer('buyer-1'));
  expect(verify(valid({}))).toEqual(buyer('buyer-1'));
  expect(verify(valid({ sub: 'auth0|ann' }))).toEqual(buyer(buyerIdOf('auth0|ann')));
});

test('a token may name the group of its buyer', () => {
  const inGroup = { ...buyer('buyer-1'), group: 'home_1-A' };
  expect(verify(issueToken(SECRET, 'buyer-1', { group: 'home_1-A' }))).toEqual(inGroup);
  expect(verify(valid({ dropline_group: 'a'.repeat(64) }))).toEqual({ ...buyer('buyer-1'), group: 'a'.repeat(64) });
});

test.each([[''], ['two words'], ['a'.repeat(65)], ['a,b'], ['-\n'], [7], [null], [['home']]])(
  'a token whose group is %j is invalid',
  group => {
    expect(verify(valid({ dropline_group: group }))).toEqual(refused('group_form'));
  },
);

describe('invalid tokens', () => {
  test('a token without a signature is invalid (alg none)', () => {
    const payload = { sub: 'buyer-1', exp: IN_AN_HOUR };
    for (const alg of ['none', 'None', 'NONE', '']) {
      expect(verify(`${encode({ alg, typ: 'JWT' })}.${encode(payload)}.`)).toEqual(refused('signature'));
      expect(verify(forge(payload, { alg, typ: 'JWT' }))).toEqual(refused('algorithm'));
    }
  });

  test('a token signed by another key is invalid', () => {
    expect(verify(issueToken(OTHER_SECRET, 'buyer-1'))).toEqual(refused('signature'));
  });

  test.each([
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['RS256', 'sha256'],
  ])('a token signed by another algorithm is invalid (%s)', (alg, hash) => {
    const token = forge({ sub: 'buyer-1', exp: IN_AN_HOUR }, { alg, typ: 'JWT' }, hash);
    expect(verify(token)).toEqual(refused('algorithm'));
  });

  test.each<[string, object, TokenRefusal]>([
    ['an end that has passed', { exp: NOW - 10 }, 'expired'],
    ['a beginning that has not come', { nbf: IN_AN_HOUR - 10 }, 'not_yet_valid'],
    ['no end', { exp: undefined }, 'no_expiry'],
    ['the end null', { exp: null }, 'malformed'],
    ['an end that is a text', { exp: '9999999999' }, 'malformed'],
    ['an end before the calendar begins', { exp: -1e300 }, 'malformed'],
    ['no buyer', { sub: undefined }, 'no_buyer'],
    ...[null, '', 7, ['buyer-1'], { id: 'buyer-1' }, 'x'.repeat(256), 'a b', "a'; --", 'ä', 'a\n'].map(
      sub => [`the buyer ${JSON.stringify(sub)}`, { sub }, 'buyer_form'] as [string, object, TokenRefusal],
    ),
  ])('a token with %s is invalid', (_name, payload, reason) => {
    expect(verify(valid(payload))).toEqual(refused(reason));
  });

  test('a token with a changed payload is invalid', () => {
    const [header, , signature] = issueToken(SECRET, 'buyer-1').split('.');
    const changed = `${header}.${encode({ sub: 'buyer-2', exp: IN_AN_HOUR })}.${signature}`;
    expect(verify(changed)).toEqual(refused('signature'));
  });

  test('a token with a critical header is invalid', () => {
    const header = { alg: 'HS256', typ: 'JWT', crit: ['exp'], exp: 1 };
    expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR }, header))).toEqual(refused('critical'));
  });

  test.each(['', '.', '..', 'a.b.c', 'Bearer x', '\u0000', 'x'.repeat(10_000)])(
    'a text that is not a token is invalid: %j',
    text => {
      expect(verify(text)).toEqual(refused('malformed'));
    },
  );
});

test('clocks may differ by 5 s, at both ends of a token', () => {
  const now = Math.floor(Date.now() / 1_000);
  expect(verify(valid({ exp: now - 2 }))).toEqual(buyer('buyer-1'));
  expect(verify(valid({ nbf: now + 4 }))).toEqual(buyer('buyer-1'));
});

describe('the life of a token', () => {
  test.each<[string, object]>([
    ['a day, as Dropline issues it', { exp: NOW + DAY_SECONDS, iat: NOW }],
    ['31 days from its issue', { exp: NOW + 31 * DAY_SECONDS, iat: NOW }],
    ['31 days from now', { exp: NOW + 31 * DAY_SECONDS }],
  ])('may be %s', (_name, payload) => {
    expect(verify(valid(payload))).toEqual(buyer('buyer-1'));
  });

  test.each<[string, object]>([
    ['32 days from now', { exp: NOW + 32 * DAY_SECONDS }],
    ['32 days, of which 31 are over', { exp: NOW + DAY_SECONDS, iat: NOW - 31 * DAY_SECONDS }],
    ['a hundred years, with an issue in the future', { exp: NOW + 4e9, iat: NOW + 4e9 - 60 }],
    ['a hundred years, with an issue that is a text', { exp: NOW + 4e9, iat: 'now' }],
  ])('may not be %s', (_name, payload) => {
    expect(verify(valid(payload))).toEqual(refused('lives_too_long'));
  });
});

describe('the audience of a token signed with the shared secret', () => {
  const verifyShop = createBuyerVerifier([SECRET], { ...RULES, audience: 'shop' });
  // A comparison of parts of texts would take some of these for ours.
  const alike = ['shop-admin', 'workshop', 'sho', 'SHOP', 'shop ', ['workshop'], ['sho', 'p'], 'mail shop', [['shop']]];
  const foreign = ['password-reset', ['mail', 'x'], '', null, [], {}, ...alike];

  test('may be left out', () => {
    expect(verifyShop(valid({}))).toEqual(buyer('buyer-1'));
  });

  test.each([['shop'], [['mail', 'shop']]])('%j is ours, if the settings say so', aud => {
    expect(verifyShop(valid({ aud }))).toEqual(buyer('buyer-1'));
  });

  test.each(foreign.map(aud => [aud]))('%j is foreign', aud => {
    expect(verifyShop(valid({ aud }))).toEqual(refused('audience'));
  });

  test.each([...foreign, 'shop', 'undefined'].map(aud => [aud]))('%j is foreign without a setting', aud => {
    expect(verify(valid({ aud }))).toEqual(refused('audience'));
  });
});

describe('while the secret is rotated', () => {
  // Both APIs are restarted twice: first they accept the next secret, then they sign with it.
  const stages = [[SECRET], [SECRET, OTHER_SECRET], [OTHER_SECRET, SECRET], [OTHER_SECRET]];

  test.each([1, 2, 3])('neighbours in stage %i accept what the other signs', stage => {
    const [before = [], after = []] = stages.slice(stage - 1, stage + 1);
    for (const [signer, verifier] of [
      [before, after],
      [after, before],
    ]) {
      const token = issueToken(signer?.[0] ?? '', 'buyer-1');
      expect(createBuyerVerifier(verifier ?? [], RULES)(token)).toEqual(buyer('buyer-1'));
    }
  });

  test('the reason is that of the secret that signed the token', () => {
    const verifyBoth = createBuyerVerifier([OTHER_SECRET, SECRET], RULES);
    expect(verifyBoth(valid({ exp: NOW - 10 }))).toEqual(refused('expired'));
    expect(verifyBoth(issueToken('a third secret of thirty-two characters!', 'x'))).toEqual(refused('signature'));
  });
});

describe('the claim that names the buyer in tokens of an issuer', () => {
  const key = signingKey('key', 'EdDSA');
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const read = (buyerClaim: string, payload: object) => {
    const rules = { ...RULES, issuer: 'issuer', audience: 'shop', buyerClaim };
    const claims = { iss: 'issuer', aud: 'shop', sub: 'ann', exp: IN_AN_HOUR, ...payload };
    return createIssuerTokenVerifier({ algorithm: 'EdDSA', pem }, rules)(signToken(key, claims));
  };

  test('may be any, such as the address of a namespace', () => {
    expect(read('sub', {})).toEqual(buyer('ann'));
    expect(read('https://shop.example/customer', { 'https://shop.example/customer': '207' })).toEqual(buyer('207'));
    expect(read('https://shop.example/customer', {})).toEqual(refused('no_buyer'));
    expect(read('constructor', {})).toEqual(refused('buyer_form'));
  });

  test.each([undefined, true, 'true'])('may be a mail address, with email_verified %j', email_verified => {
    const verdict = read('email', { email: 'Ann@Example.com', email_verified });
    expect(verdict).toEqual(buyer(buyerIdOf('ann@example.com')));
  });

  test.each([false, 'false', null, 0])('may not be a mail address with email_verified %j', email_verified => {
    expect(read('email', { email: 'ann@example.com', email_verified })).toEqual(refused('unverified_email'));
  });
});

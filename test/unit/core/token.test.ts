import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createBuyerVerifier, issueToken } from '#core/identity/token.js';

const SECRET = 'a secret of more than thirty-two characters';
const verify = createBuyerVerifier(SECRET);

const IN_AN_HOUR = Math.floor(Date.now() / 1_000) + 3_600;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Creates a token by hand, with any header and payload. */
function forge(payload: object, header: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256'): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac(hash, SECRET).update(text).digest('base64url')}`;
}

test('a token names its buyer', () => {
  expect(verify(issueToken(SECRET, 'buyer-1'))).toBe('buyer-1');
  expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR }))).toBe('buyer-1');
});

describe('invalid tokens', () => {
  test('a token without a signature is invalid (alg none)', () => {
    const payload = { sub: 'buyer-1', exp: IN_AN_HOUR };
    for (const alg of ['none', 'None', 'NONE', '']) {
      expect(verify(`${encode({ alg, typ: 'JWT' })}.${encode(payload)}.`)).toBeUndefined();
      expect(verify(forge(payload, { alg, typ: 'JWT' }))).toBeUndefined();
    }
  });

  test('a token signed by another key is invalid', () => {
    expect(verify(issueToken('another secret of thirty-two characters!', 'buyer-1'))).toBeUndefined();
  });

  test.each([
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['RS256', 'sha256'],
  ])('a token signed by another algorithm is invalid (%s)', (alg, hash) => {
    expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR }, { alg, typ: 'JWT' }, hash))).toBeUndefined();
  });

  test('an expired token is invalid', () => {
    expect(verify(forge({ sub: 'buyer-1', exp: Math.floor(Date.now() / 1_000) - 1 }))).toBeUndefined();
  });

  test('a token is invalid before its `nbf`', () => {
    expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR, nbf: IN_AN_HOUR - 10 }))).toBeUndefined();
  });

  test.each([undefined, null, 'soon', '9999999999'])('a token with the expiry %p is invalid', exp => {
    expect(verify(forge({ sub: 'buyer-1', exp }))).toBeUndefined();
  });

  test.each([
    undefined,
    null,
    '',
    7,
    ['buyer-1'],
    { id: 'buyer-1' },
    'x'.repeat(65),
    'a b',
    "a'; --",
    'ä',
    '{a}',
    'a\n',
  ])('a token with the buyer %p is invalid', sub => expect(verify(forge({ sub, exp: IN_AN_HOUR }))).toBeUndefined());

  test('a token with a changed payload is invalid', () => {
    const [header, , signature] = issueToken(SECRET, 'buyer-1').split('.');
    expect(verify(`${header}.${encode({ sub: 'buyer-2', exp: IN_AN_HOUR })}.${signature}`)).toBeUndefined();
  });

  test.each(['', '.', '..', 'a.b.c', 'Bearer x', '\u0000', 'x'.repeat(10_000)])(
    'a text that is not a token is invalid: %j',
    text => {
      expect(verify(text)).toBeUndefined();
    },
  );
});

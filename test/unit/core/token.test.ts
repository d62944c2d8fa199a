import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { buyerVerifier, issueToken } from '#core/identity/token.js';

const SECRET = 'a secret of more than thirty-two characters';
const verify = buyerVerifier(SECRET);

const IN_AN_HOUR = Math.floor(Date.now() / 1_000) + 3_600;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token made by hand, with whatever header and payload. */
function forge(
  payload: object,
  header: object = { alg: 'HS256', typ: 'JWT' },
  secret = SECRET,
  hash = 'sha256',
): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

test('a token names its buyer', () => {
  expect(verify(issueToken(SECRET, 'buyer-1'))).toBe('buyer-1');
  expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR }))).toBe('buyer-1');
});

describe('a token names nobody', () => {
  test('without a signature (alg none)', () => {
    const payload = { sub: 'buyer-1', exp: IN_AN_HOUR };
    for (const alg of ['none', 'None', 'NONE', '']) {
      expect(verify(`${encode({ alg, typ: 'JWT' })}.${encode(payload)}.`)).toBeUndefined();
      expect(verify(forge(payload, { alg, typ: 'JWT' }))).toBeUndefined();
    }
  });

  test('signed by another key', () => {
    expect(verify(issueToken('another secret of thirty-two characters!', 'buyer-1'))).toBeUndefined();
  });

  test.each([
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['RS256', 'sha256'],
  ])('signed by another algorithm (%s)', (alg, hash) => {
    expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR }, { alg, typ: 'JWT' }, SECRET, hash))).toBeUndefined();
  });

  test('once it has expired', () => {
    expect(verify(forge({ sub: 'buyer-1', exp: Math.floor(Date.now() / 1_000) - 1 }))).toBeUndefined();
  });

  test('before it is valid', () => {
    expect(verify(forge({ sub: 'buyer-1', exp: IN_AN_HOUR, nbf: IN_AN_HOUR - 10 }))).toBeUndefined();
  });

  test.each([undefined, null, 'soon', '9999999999'])('with %p for an expiry', exp => {
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
  ])('with %p for a buyer', sub => expect(verify(forge({ sub, exp: IN_AN_HOUR }))).toBeUndefined());

  test('with its payload changed', () => {
    const [header, , signature] = issueToken(SECRET, 'buyer-1').split('.');
    expect(verify(`${header}.${encode({ sub: 'buyer-2', exp: IN_AN_HOUR })}.${signature}`)).toBeUndefined();
  });

  test.each(['', '.', '..', 'a.b.c', 'Bearer x', '\u0000', 'x'.repeat(10_000)])('when it is no token: %j', text => {
    expect(verify(text)).toBeUndefined();
  });
});

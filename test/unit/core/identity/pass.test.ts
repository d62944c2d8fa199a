import { describe, expect, test } from '@jest/globals';
import { judgePass, type Pass, passKey, signPass } from '#core/identity/pass.js';

const SECRET = 'a secret of more than thirty-two characters';
const OTHER = 'the next secret of thirty-two characters!';
const KEY = passKey(SECRET);
const FROM_MS = 1_700_000_000_000;
const PASS: Pass = { saleId: 'sale', buyerId: 'buyer', notBeforeMs: FROM_MS, expiresAtMs: FROM_MS + 600_000 };
const TEXT = signPass(KEY, PASS);

const judge = (text: string, shown: Partial<Parameters<typeof judgePass>[2]> = {}) =>
  judgePass([KEY], text, { saleId: 'sale', buyerId: 'buyer', nowMs: FROM_MS, ...shown });

test('a pass is good for its buyer and sale, and its text needs no escaping in a header', () => {
  expect(judge(TEXT)).toEqual({ kind: 'good' });
  expect(TEXT).toMatch(/^[\w.-]{1,120}$/);
});

test('two passes of the same content differ', () => expect(signPass(KEY, PASS)).not.toBe(TEXT));

test('while the secret is rotated, a pass by either secret is good', () => {
  const keys = [passKey(OTHER), KEY];
  const shown = { saleId: 'sale', buyerId: 'buyer', nowMs: FROM_MS };
  expect(judgePass(keys, TEXT, shown).kind).toBe('good');
  expect(judgePass(keys.reverse(), TEXT, shown).kind).toBe('good');
  expect(judgePass(keys, TEXT, { ...shown, buyerId: 'thief' }).kind).toBe('bad');
  expect(judgePass([passKey(OTHER)], TEXT, shown).kind).toBe('bad');
});

describe('the times of a pass, with 5 s for the difference of two clocks', () => {
  test.each([
    ['5 s before', FROM_MS - 5_000, { kind: 'good' }],
    ['earlier than that', FROM_MS - 5_001, { kind: 'early', waitMs: 1 }],
    ['a minute before', FROM_MS - 60_000, { kind: 'early', waitMs: 55_000 }],
    ['at its end', PASS.expiresAtMs, { kind: 'good' }],
    ['5 s after its end', PASS.expiresAtMs + 5_000, { kind: 'good' }],
    ['later than that', PASS.expiresAtMs + 5_001, { kind: 'expired' }],
  ])('%s', (_, nowMs, verdict) => expect(judge(TEXT, { nowMs })).toEqual(verdict));

  test('the times of a pass that is not of this buyer do not matter', () => {
    expect(judge(TEXT, { buyerId: 'thief', nowMs: FROM_MS - 60_000 })).toEqual({ kind: 'bad' });
    expect(judge(TEXT, { buyerId: 'thief', nowMs: PASS.expiresAtMs + 60_000 })).toEqual({ kind: 'bad' });
  });
});

describe('bad passes', () => {
  test('of another buyer', () => expect(judge(TEXT, { buyerId: 'thief' }).kind).toBe('bad'));

  test('of another sale', () => expect(judge(TEXT, { saleId: 'other' }).kind).toBe('bad'));

  test('with another border between sale and buyer', () => {
    const text = signPass(KEY, { ...PASS, saleId: 'sale-a', buyerId: 'b' });
    expect(judge(text, { saleId: 'sale', buyerId: '-ab' }).kind).toBe('bad');
    expect(judge(text, { saleId: 'sale-', buyerId: 'ab' }).kind).toBe('bad');
  });

  test('cut off or extended', () => {
    for (let length = 0; length < TEXT.length; length += 1) expect(judge(TEXT.slice(0, length)).kind).toBe('bad');
    for (const extra of ['x', '.', '\n', '=']) expect(judge(TEXT + extra).kind).toBe('bad');
  });

  test('with a flipped bit', () => {
    const bytes = Buffer.from(TEXT);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(judge(flipped.toString('latin1')).kind).toBe('bad');
    }
  });

  test('with later times than were signed', () => {
    const [, , nonce, signature] = TEXT.split('.');
    expect(judge(`${FROM_MS - 60_000}.${PASS.expiresAtMs}.${nonce}.${signature}`).kind).toBe('bad');
    expect(judge(`${FROM_MS}.${PASS.expiresAtMs + 60_000}.${nonce}.${signature}`).kind).toBe('bad');
  });

  test.each(['', 'x', '....', 'null', `${TEXT},${TEXT}`, 'x'.repeat(8_000), '1.2.3.4', 'ä'])('malformed: %p', text =>
    expect(judge(text).kind).toBe('bad'),
  );
});

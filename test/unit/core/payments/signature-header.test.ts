import { expect, test } from '@jest/globals';
import { isSigned, mayBeSigned, signBody } from '#core/payments/signature.js';

const NOW = 1_700_000_000_000;
const KEY = 'whsec_the_key_of_today';
const body = Buffer.from('{"id":"evt_1"}');
const header = signBody([KEY], body, NOW);
const signature = header.slice(header.indexOf('v1='));
const wrong = `v1=${'0'.repeat(64)},`;

const isAccepted = (given: string) => isSigned([KEY], { body, header: given }, NOW);

test('a header may have spaces around its parts', () => {
  expect(isAccepted(` t=1700000000 , ${signature} `)).toBe(true);
});

test('a header may have eight signatures', () => {
  expect(isAccepted(`t=1700000000,${wrong.repeat(7)}${signature}`)).toBe(true);
  expect(isAccepted(`t=1700000000,${wrong.repeat(8)}${signature}`)).toBe(false);
});

test.each([
  { name: 'a letter before its name', part: `x${signature}` },
  { name: 'letters after its digits', part: `${signature}zz` },
  { name: 'digits after its digits', part: `${signature}00` },
])('a signature with $name counts as none', ({ part }) => {
  expect(isAccepted(`t=1700000000,${part}`)).toBe(false);
  expect(mayBeSigned(`t=1700000000,${part}`, NOW)).toBe(false);
  expect(isAccepted(`t=1700000000,${part},${signature}`)).toBe(true);
});

test.each(['x1700000000', '1700000000x', '', '-1700000000', '1700000000000'])(
  'the time stamp %j is none, whatever its age',
  time => {
    expect(mayBeSigned(`t=${time},${signature}`, NOW)).toBe(false);
  },
);

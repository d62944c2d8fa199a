import { expect, test } from '@jest/globals';
import { wholeNumber } from '#core/values/number.js';

const port = wholeNumber({ min: 1, max: 65_535, what: 'a port number' });
const any = wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER });

test.each([
  ['1', 1],
  ['65535', 65_535],
  ['0080', 80],
  [1, 1],
  [65_535, 65_535],
])('%j is a number', (given, number) => {
  expect(port.parse(given)).toBe(number);
});

test.each([
  '',
  ' 1',
  '1 ',
  '+1',
  '-1',
  '1.0',
  '1e3',
  '0x10',
  '1_000',
  '١',
  'one',
  '0',
  '65536',
  0,
  65_536,
  1.5,
  null,
  true,
])('%j is no number from 1 to 65535', given => {
  expect(port.safeParse(given).error?.issues.map(({ message }) => message)).toEqual([
    'must be a port number from 1 to 65535',
  ]);
});

test('a number has at most 16 digits, and none that a double would round', () => {
  expect(any.parse('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  expect(any.parse('0000000000000001')).toBe(1);
  for (const text of ['00000000000000001', '9007199254740992', '9007199254740993']) {
    expect(any.safeParse(text).success).toBe(false);
  }
  expect(any.safeParse('x').error?.issues[0]?.message).toBe('must be a whole number from 0 to 9007199254740991');
});

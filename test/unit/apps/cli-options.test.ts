import { describe, expect, test } from '@jest/globals';
import { parseBuyer, parseBuyerName, parseCurrency, parseId, parseWhole } from '../../../apps/cli/options.js';
import { parseTime } from '../../../apps/cli/time.js';

const NOON = Date.UTC(2026, 10, 27, 12);

describe('a time', () => {
  test.each([
    ['now', '2026-11-27T12:00:00.000Z'],
    ['+10s', '2026-11-27T12:00:10.000Z'],
    ['+5m', '2026-11-27T12:05:00.000Z'],
    ['+1h', '2026-11-27T13:00:00.000Z'],
    ['+1d', '2026-11-28T12:00:00.000Z'],
    ['2026-12-01T10:00Z', '2026-12-01T10:00:00.000Z'],
    ['2026-12-01T10:00:00.500Z', '2026-12-01T10:00:00.500Z'],
    ['2026-12-01T10:00:00+02:00', '2026-12-01T08:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseTime(text, NOON)).toISOString()).toBe(iso);
  });

  test.each(['', 'tomorrow', '10s', '+s', '-1h', '+1w', '2026-12-01', '+999999999d'])('%j is no time', text => {
    expect(() => parseTime(text, NOON)).toThrow('It must be now, +10s');
  });
});

describe('a buyer', () => {
  const MADE = 'id-sha256-t8VjDoSBmBbO5nBa2ODWD1U9FkeEFs16F2bahZWUHSk';

  test('is named by the name in a token, or by the id that was made of it', () => {
    expect(['ann', 'auth0|64f1c2', MADE].map(parseBuyer)).toEqual(['ann', MADE, MADE]);
  });

  test('is named in a new token as in any other, and never by the id that was made of the name', () => {
    expect(['ann', 'auth0|64f1c2'].map(parseBuyerName)).toEqual(['ann', 'auth0|64f1c2']);
    expect(() => parseBuyerName(MADE)).toThrow("as the shop's tokens have it");
  });

  test.each(['', 'mia jones', 'ä'])('%j is no name', text => {
    for (const parse of [parseBuyer, parseBuyerName]) expect(() => parse(text)).toThrow('without spaces');
  });
});

describe('a whole number', () => {
  const parse = parseWhole(1, 10_000_000);

  test.each([
    ['1', 1],
    ['10000000', 10_000_000],
    ['007', 7],
  ])('%s is %d', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  test.each(['0', '10000001', '-1', '1.5', '1e3', '0x10', '', ' 1', 'ten'])(
    '%j is no whole number from 1 to 10000000',
    text => {
      expect(() => parse(text)).toThrow('It must be a whole number from 1 to 10000000.');
    },
  );
});

test.each(['', 'a b', 'ü', 'a/b', 'x'.repeat(65)])('%j is no id', text => {
  expect(() => parseId(text)).toThrow('1 to 64');
});

test.each(['euro', 'eur', 'EU', 'EUR '])('%j is no currency', text => {
  expect(() => parseCurrency(text)).toThrow('a currency of ISO 4217');
});

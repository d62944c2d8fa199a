import { describe, expect, test } from '@jest/globals';
import { currencyDigits, isCurrency } from '#core/rules/currencies.js';
import { formatMoney, minorUnitsOf } from '#core/rules/money.js';

describe('currencies', () => {
  test('have the decimals of ISO 4217, and those that it does not list have 2', () => {
    const codes = ['JPY', 'XPF', 'AED', 'CZK', 'KPW', 'PEN', 'TTD', 'ZWG', 'BHD', 'TND', 'ANG'];
    expect(codes.map(currencyDigits)).toEqual([0, 0, 2, 2, 2, 2, 2, 2, 3, 3, 2]);
  });

  test.each(['JPY', 'EUR', 'CVE', 'CZK', 'KWD'])('%s is one', code => {
    expect(isCurrency(code)).toBe(true);
  });

  test.each(['', ' ', 'XXX', 'ANG', 'eur', 'EUR USD', 'CVE\n'])('%j is none', code => {
    expect(isCurrency(code)).toBe(false);
  });
});

test.each([
  [0, 'EUR', 'EUR 0.00'],
  [-5, 'EUR', 'EUR -0.05'],
  [-1_250, 'JPY', 'JPY -1250'],
  [1_250, 'KWD', 'KWD 1.250'],
] as const)('%d of %s is written as %s', (minor, currency, text) => {
  expect(formatMoney(minor, currency)).toBe(text);
});

describe('an amount that a person wrote', () => {
  test.each([
    ['49.00', 'EUR', 4_900],
    ['49,5', 'EUR', 4_950],
    ['123456789012.1', 'KWD', 123_456_789_012_100],
  ] as const)('%s of %s is %d in minor units', (text, currency, minor) => {
    expect(minorUnitsOf(text, currency)).toBe(minor);
  });

  test.each([
    ['4900', 'EUR'],
    ['4.900', 'EUR'],
    ['4.9', 'JPY'],
    ['EUR 49.00', 'EUR'],
    ['49.00 EUR', 'EUR'],
    ['1,234.5', 'EUR'],
    ['1234567890123.5', 'EUR'],
  ] as const)('%s of %s is none', (text, currency) => {
    expect(minorUnitsOf(text, currency)).toBeUndefined();
  });
});

import { expect, test } from '@jest/globals';
import { currencyCode, typedAmount } from '#core/values/money.js';

const errorOf = (text: string, currency = 'EUR', min = 0) =>
  typedAmount(currency, min)
    .safeParse(text)
    .error?.issues.map(({ message }) => message);

test('an amount is typed in minor units', () => {
  expect(typedAmount('EUR', 0).parse('4900')).toBe(4_900);
  expect(typedAmount('EUR', 0).parse('0')).toBe(0);
  expect(typedAmount('JPY', 1).parse('1000000000000')).toBe(1_000_000_000_000);
});

test.each([
  ['49.00', 'EUR', 'must be in minor units: 4900 for EUR 49.00'],
  ['4,9', 'KWD', 'must be in minor units: 4900 for KWD 4.900'],
  ['0.00', 'EUR', 'must be in minor units: 0 for EUR 0.00'],
  ['49.000', 'EUR', 'must be a whole number from 1 to 1000000000000, in minor units: 100 for EUR 1.00'],
  ['0', 'EUR', 'must be a whole number from 1 to 1000000000000, in minor units: 100 for EUR 1.00'],
  ['1000000000001', 'JPY', 'must be a whole number from 1 to 1000000000000, in minor units: 100 for JPY 100'],
  ['a lot', 'EUR', 'must be a whole number from 1 to 1000000000000, in minor units: 100 for EUR 1.00'],
])('the amount %j of %s is refused: %s', (text, currency, message) => {
  expect(errorOf(text, currency, 1)).toEqual([message]);
});

test('a currency is one of ISO 4217 in capital letters', () => {
  expect(currencyCode.parse('EUR')).toBe('EUR');
  for (const code of ['eur', 'EURO', 'XXX', '']) {
    const message = 'must be a currency of ISO 4217 in capital letters, such as EUR';
    expect(currencyCode.safeParse(code).error?.issues.map(issue => issue.message)).toEqual([message]);
  }
});

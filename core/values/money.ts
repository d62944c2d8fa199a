import { z } from 'zod';
import { isCurrency } from '../rules/currencies.js';
import { formatMoney, minorUnitsOf } from '../rules/money.js';
import { AMOUNT_MINOR_MAX } from '../rules/sale.js';
import { wholeNumber } from './number.js';

/** Validates the currency of a sale or a wallet: a code of ISO 4217, which decides what a minor unit is. */
export const currencyCode = z
  .string()
  .refine(isCurrency, 'must be a currency of ISO 4217 in capital letters, such as EUR');

/**
 * Creates the validator of an amount that an operator types, in minor units of a currency. An amount with a decimal point
 * is refused, as `49` and `49.00` would differ by a factor of 100: the message has the right number.
 */
export function typedAmount(currency: string, min: number) {
  const whole = wholeNumber({ min, max: AMOUNT_MINOR_MAX });
  return z
    .string()
    .refine(text => whole.safeParse(text).success, { error: ({ input }) => adviceOn(String(input), currency, min) })
    .transform(Number);
}

function adviceOn(text: string, currency: string, min: number): string {
  const minor = minorUnitsOf(text, currency);
  if (minor !== undefined) return `must be in minor units: ${minor} for ${formatMoney(minor, currency)}`;
  return `must be a whole number from ${min} to ${AMOUNT_MINOR_MAX}, in minor units: 100 for ${formatMoney(100, currency)}`;
}

import { currencyDigits } from './currencies.js';

/**
 * Formats an amount of money for people, such as `EUR 12.50`.
 *
 * @param amountMinor in minor units
 * @param currency ISO 4217 code
 */
export function formatMoney(amountMinor: number, currency: string): string {
  const digits = currencyDigits(currency);
  const sign = amountMinor < 0 ? '-' : '';
  const text = String(Math.abs(amountMinor)).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${currency} ${sign}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`}`;
}

/**
 * Reads an amount that a person wrote with a decimal point or comma, such as `49.00`.
 *
 * @returns the amount in minor units; undefined for a text without decimals, or with more decimals than the currency has
 */
export function minorUnitsOf(text: string, currency: string): number | undefined {
  const [, whole, decimals] = /^(\d{1,12})[.,](\d{1,3})$/.exec(text) ?? [];
  const digits = currencyDigits(currency);
  if (whole === undefined || decimals === undefined || decimals.length > digits) return undefined;
  return Number(whole + decimals.padEnd(digits, '0'));
}

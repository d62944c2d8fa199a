/**
 * Formats an amount of money for people, such as `EUR 12.50`.
 *
 * @param amountMinor in minor units
 * @param currency ISO 4217 code
 */
export function formatMoney(amountMinor: number, currency: string): string {
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  return `${currency} ${(amountMinor / 10 ** digits).toFixed(digits)}`;
}

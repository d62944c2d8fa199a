/**
 * @typedef {{title: string, priceMinor: number, currency: string, units: number, remaining: number, state: string,
 *   opensAtMs: number, closesAtMs: number}} Sale
 * @typedef {'upcoming' | 'open' | 'sold_out' | 'paused' | 'closed'} Phase
 */

const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Reads the sale's id from the address of the page.
 *
 * @param {{pathname: string, search: string}} location
 * @returns {string | undefined} the id in /s/:saleId or ?sale=, if it is valid
 */
export function saleIdOf({ pathname, search }) {
  const id = /^\/s\/([^/]+)\/?$/.exec(pathname)?.[1] ?? new URLSearchParams(search).get('sale');
  return id && ID_PATTERN.test(id) ? id : undefined;
}

/**
 * Parses the answer of GET /sales/:saleId.
 *
 * @param {Record<string, any>} body
 * @returns {Sale}
 */
export function readSale(body) {
  return { ...body, opensAtMs: Date.parse(body.opensAt), closesAtMs: Date.parse(body.closesAt) };
}

/**
 * Computes the phase of a sale. The page does so between two reads of the sale, so the opening needs no request.
 *
 * @param {Sale} sale
 * @param {number} nowMs the server's time
 * @returns {Phase}
 */
export function phaseOf(sale, nowMs) {
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) return 'closed';
  if (sale.state === 'paused') return 'paused';
  if (nowMs < sale.opensAtMs) return 'upcoming';
  return sale.remaining > 0 ? 'open' : 'sold_out';
}

/**
 * Formats an amount of money.
 *
 * @param {number} amountMinor in the currency's smallest unit
 * @param {string} currency ISO 4217
 * @param {string} locale BCP 47
 * @returns {string}
 */
export function formatPrice(amountMinor, currency, locale) {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  // A euro has 100 cents, but a yen has no smaller unit and a dinar has 1,000.
  return format.format(amountMinor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/**
 * @typedef {{title: string, priceMinor: number, currency: string, units: number, remaining: number, state: string,
 *   opensAtMs: number, closesAtMs: number}} Sale
 * @typedef {'upcoming' | 'open' | 'sold_out' | 'paused' | 'closed'} Phase
 */

const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * @param {{pathname: string, search: string}} location the address of the page
 * @returns {string | undefined} the sale it names, as /s/:saleId or ?sale=
 */
export function saleIdOf({ pathname, search }) {
  const id = /^\/s\/([^/]+)\/?$/.exec(pathname)?.[1] ?? new URLSearchParams(search).get('sale');
  return id && ID_PATTERN.test(id) ? id : undefined;
}

/**
 * @param {Record<string, any>} body what GET /sales/:saleId answers
 * @returns {Sale}
 */
export function readSale(body) {
  return { ...body, opensAtMs: Date.parse(body.opensAt), closesAtMs: Date.parse(body.closesAt) };
}

/**
 * The page decides this by itself between two looks at the sale, so that opening needs no request.
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
 * @param {number} amountMinor in the currency's smallest unit
 * @param {string} currency ISO 4217
 * @param {string} locale BCP 47
 * @returns {string} the amount as people there write it
 */
export function formatPrice(amountMinor, currency, locale) {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  // Not every currency has cents: yen have none, dinars have a thousand.
  return format.format(amountMinor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

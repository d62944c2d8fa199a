/**
 * The types of a sale and its phase, as the page sees them.
 *
 * @typedef {{title: string, priceMinor: number, currency: string, currencyDigits?: number, units: number,
 *   remaining: number, remainingIsRough?: true, state: string, opening?: 'rush' | 'shuffle' | 'draw', joinsAtMs?: number, opensAtMs: number,
 *   closesAtMs: number, passesFromMs?: number}} Sale `joinsAtMs` is missing for a rush, `passesFromMs` for a sale without passes
 * @typedef {'upcoming' | 'joining' | 'drawing' | 'open' | 'sold_out' | 'paused' | 'closed'} Phase
 */

const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Reads the sale's id from the address of the page.
 *
 * @param {{pathname: string, search: string}} location
 * @returns {string | undefined} the id in /s/:saleId or ?sale=; undefined when there is none or it is not valid
 */
export function saleIdOf({ pathname, search }) {
  const id = /^\/s\/([^/]+)\/?$/.exec(pathname)?.[1] ?? new URLSearchParams(search).get('sale');
  return id && ID_PATTERN.test(id) ? id : undefined;
}

/**
 * Parses the body of the API's answer to GET /sales/:saleId.
 *
 * @param {Record<string, any>} body
 * @returns {Sale}
 */
export function readSale(body) {
  const times = { opensAtMs: Date.parse(body.opensAt), closesAtMs: Date.parse(body.closesAt) };
  const joins = body.joinsAt ? { joinsAtMs: Date.parse(body.joinsAt) } : {};
  const passes = body.needsPass ? { passesFromMs: Date.parse(body.passesFrom) } : {};
  return { ...body, ...times, ...joins, ...passes };
}

/**
 * Computes the phase of a sale from its last read and the time. So the page shows the opening without another request.
 *
 * @param {Sale} sale
 * @param {number} nowMs the server's time
 * @returns {Phase}
 */
export function phaseOf(sale, nowMs) {
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) return 'closed';
  if (sale.state === 'paused') return 'paused';
  if (nowMs < sale.opensAtMs) return nowMs < (sale.joinsAtMs ?? sale.opensAtMs) ? 'upcoming' : 'joining';
  // After the opening lots make the order. The API says when it is made.
  if (sale.joinsAtMs !== undefined && sale.state !== 'open' && sale.state !== 'sold_out') return 'drawing';
  return sale.remaining > 0 ? 'open' : 'sold_out';
}

/**
 * Formats an amount of money. The decimals come from the API: those that browsers know differ by browser and version, and
 * are not those of ISO 4217 for forints, rupiahs and others.
 *
 * @param {{amountMinor: number, currency: string, currencyDigits?: number}} money in minor units, with the currency's
 *   code and decimals by ISO 4217
 * @param {string} locale BCP 47
 * @returns {string} empty without the decimals, as an API of an earlier version does not send them
 */
export function formatPrice({ amountMinor, currency, currencyDigits: digits }, locale) {
  if (digits === undefined) return '';
  const decimals = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, { style: 'currency', currency, ...decimals }).format(amountMinor / 10 ** digits);
}

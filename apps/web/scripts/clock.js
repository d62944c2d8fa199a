/**
 * Estimates how far the visitor's clock is off. It may be wrong by minutes, so the page only uses differences on it.
 *
 * @param {{serverTimeMs: number, ageSeconds: number, askedAtMs: number, answeredAtMs: number}} answer the server's time;
 *   how long a cache has kept it; when the question was sent and the answer came, by the visitor's clock
 * @returns {number} the offset to add to the visitor's clock, in ms
 */
export function clockOffset({ serverTimeMs, ageSeconds, askedAtMs, answeredAtMs }) {
  return serverTimeMs + ageSeconds * 1_000 - (askedAtMs + answeredAtMs) / 2;
}

/**
 * Splits a span of time, rounded up to a second.
 *
 * @param {number} ms a negative span counts as 0
 * @returns {{days: number, hours: number, minutes: number, seconds: number}}
 */
export function spanOf(ms) {
  const total = Math.max(0, Math.ceil(ms / 1_000));
  return {
    days: Math.floor(total / 86_400),
    hours: Math.floor(total / 3_600) % 24,
    minutes: Math.floor(total / 60) % 60,
    seconds: total % 60,
  };
}

/**
 * Formats a span of time.
 *
 * @param {number} ms
 * @returns {string} minutes and seconds, as 4:05
 */
export function formatSpan(ms) {
  const { days, hours, minutes, seconds } = spanOf(ms);
  return `${(days * 24 + hours) * 60 + minutes}:${String(seconds).padStart(2, '0')}`;
}

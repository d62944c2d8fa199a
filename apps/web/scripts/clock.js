/**
 * The server's clock, as well as the page can know it: the visitor's own may be minutes off, so only differences
 * on it count.
 *
 * @param {{serverTimeMs: number, ageSeconds: number, askedAtMs: number, answeredAtMs: number}} answer what the server
 *   said; how long a cache kept it since; when the visitor's clock saw the question and the answer
 * @returns {number} what to add to the visitor's clock, in ms
 */
export function clockOffset({ serverTimeMs, ageSeconds, askedAtMs, answeredAtMs }) {
  return serverTimeMs + ageSeconds * 1_000 - (askedAtMs + answeredAtMs) / 2;
}

/**
 * @param {number} ms a span, negative ones count as none
 * @returns {{days: number, hours: number, minutes: number, seconds: number}} never short: 1 ms left is a second left
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
 * @param {number} ms a span
 * @returns {string} minutes and seconds, as 4:05
 */
export function formatSpan(ms) {
  const { days, hours, minutes, seconds } = spanOf(ms);
  return `${(days * 24 + hours) * 60 + minutes}:${String(seconds).padStart(2, '0')}`;
}

import { InvalidArgumentError } from 'commander';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';

const UNIT_MS = { s: SECOND_MS, m: MINUTE_MS, h: 60 * MINUTE_MS, d: DAY_MS } as const;

/**
 * ISO 8601 with a required time zone. Without one, another computer may read a local time differently, and the sale
 * opens an hour early.
 */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** The latest time that a command accepts, in ms since the epoch: the year 2100. A later time is a typing error. */
const LATEST_MS = Date.UTC(2100, 0);

/**
 * Parses a time that an operator typed.
 *
 * @param text `now`, `+10s`, `+5m`, `+1h`, `+1d`, or ISO 8601 with a time zone
 * @param nowMs the present, in ms since the epoch
 * @returns ms since the epoch
 * @throws InvalidArgumentError, whose message lists the accepted forms
 */
export function parseMoment(text: string, nowMs = Date.now()): number {
  const [, count, unit] = /^\+(\d{1,9})([smhd])$/.exec(text) ?? [];
  const fromNowMs = unit ? Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : 0;
  const atMs = text === 'now' || unit ? nowMs + fromNowMs : ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs) || atMs > LATEST_MS) {
    throw new InvalidArgumentError('It must be now, +10s, +5m, +1h, +1d, or a time such as 2026-11-27T18:00:00Z.');
  }
  return atMs;
}

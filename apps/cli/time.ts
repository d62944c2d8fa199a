import { InvalidArgumentError } from 'commander';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { LATEST_MS, TIME_EXAMPLE, typedTime } from '#core/values/time.js';
import { parseBy } from './options.js';

const UNIT_MS = { s: SECOND_MS, m: MINUTE_MS, h: 60 * MINUTE_MS, d: DAY_MS } as const;

/**
 * Parses a time that an operator typed.
 *
 * @param text `now`, `+10s`, `+5m`, `+1h`, `+1d`, or ISO 8601 with a time zone
 * @param nowMs the present, in ms since the epoch
 * @returns ms since the epoch
 * @throws InvalidArgumentError, whose message lists the accepted forms, or says what is wrong with the time
 */
export function parseTime(text: string, nowMs = Date.now()): number {
  if (text === 'now') return nowMs;
  const [, count, unit] = /^\+(\d{1,9})([smhd])$/.exec(text) ?? [];
  const atMs = unit ? nowMs + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : undefined;
  if (atMs !== undefined && atMs <= LATEST_MS) return atMs;
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return parseBy(typedTime)(text);
  throw new InvalidArgumentError(`It must be now, +10s, +5m, +1h, +1d, or a time such as ${TIME_EXAMPLE}.`);
}

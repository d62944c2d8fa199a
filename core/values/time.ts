import { z } from 'zod';

/** A time in the accepted form, for messages. */
export const TIME_EXAMPLE = '2026-11-27T18:00:00Z';

/** The form of a time in ISO 8601, to the ms. Whether its day exists is another question. */
const FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(?![\d.:])/;

/**
 * A time zone is required. Without one, another computer may read a local time differently, and the sale opens an hour
 * early.
 */
const ZONED = /(Z|[+-]\d\d:\d\d)$/;

/** The first moment that anybody may name, in ms since the epoch. An earlier one is a typing error. */
const EARLIEST_MS = Date.UTC(2000, 0);
/** The last moment that anybody may name, in ms since the epoch: the year 2100. A later one is a typing error. */
export const LATEST_MS = Date.UTC(2100, 0);

/**
 * Validates a point in time: ISO 8601 with a time zone, on a day of the calendar, and a time of that day. `Date.parse`
 * alone takes the 29th of February of any year for the 1st of March.
 *
 * @returns ms since the epoch
 */
export const typedTime = z
  .string()
  .regex(FORM, { error: `must be a time such as ${TIME_EXAMPLE}`, abort: true })
  .regex(ZONED, { error: `must end in a time zone, Z or such as +02:00: ${TIME_EXAMPLE}`, abort: true })
  // Seconds may be left out. Zod demands them.
  .transform(text => text.replace(/^(.{16})(?!:)/, '$1:00'))
  .pipe(z.iso.datetime({ offset: true, error: 'must be a day of the calendar, and a time from 00:00 to 23:59:59' }))
  .transform(text => Date.parse(text))
  .refine(ms => ms >= EARLIEST_MS && ms <= LATEST_MS, 'must be a time from the year 2000 to the year 2100');

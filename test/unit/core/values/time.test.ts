import { expect, test } from '@jest/globals';
import { LATEST_MS, TIME_EXAMPLE, typedTime } from '#core/values/time.js';

const errorOf = (text: string) => typedTime.safeParse(text).error?.issues.map(({ message }) => message);

test.each([
  ['2026-11-27T18:00:00Z', Date.UTC(2026, 10, 27, 18)],
  ['2026-11-27T18:00Z', Date.UTC(2026, 10, 27, 18)],
  ['2026-11-27T18:00:01.5Z', Date.UTC(2026, 10, 27, 18, 0, 1, 500)],
  ['2026-11-27T18:00:01.123Z', Date.UTC(2026, 10, 27, 18, 0, 1, 123)],
  ['2026-11-27T18:00:00+02:00', Date.UTC(2026, 10, 27, 16)],
  ['2026-11-27T18:00-05:30', Date.UTC(2026, 10, 27, 23, 30)],
  ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ['2000-01-01T00:00:00Z', Date.UTC(2000, 0)],
  ['2100-01-01T00:00:00Z', LATEST_MS],
])('%s is a time', (text, ms) => {
  expect(typedTime.parse(text)).toBe(ms);
});

test('the example in the messages is a time', () => {
  expect(typedTime.parse(TIME_EXAMPLE)).toBe(Date.UTC(2026, 10, 27, 18));
});

const FORM = `must be a time such as ${TIME_EXAMPLE}`;
const ZONE = `must end in a time zone, Z or such as +02:00: ${TIME_EXAMPLE}`;
const DAY = 'must be a day of the calendar, and a time from 00:00 to 23:59:59';
const RANGE = 'must be a time from the year 2000 to the year 2100';

test.each([
  ['', FORM],
  ['tomorrow', FORM],
  ['2026-11-27', FORM],
  ['x2026-11-27T18:00:00Z', FORM],
  ['2026-11-27 18:00:00Z', FORM],
  ['26-11-27T18:00:00Z', FORM],
  ['2026-1-27T18:00:00Z', FORM],
  ['2026-11-7T18:00:00Z', FORM],
  ['2026-11-27T8:00:00Z', FORM],
  ['2026-11-27T18:0Z', FORM],
  ['2026-11-27T18:00:0Z', FORM],
  ['2026-11-27T18:00:00.Z', FORM],
  ['2026-11-27T18:00:00.1234Z', FORM],
  ['2026-11-27T18:00:00:00Z', FORM],
  ['2026-11-27T18:00:00', ZONE],
  ['2026-11-27T18:00', ZONE],
  ['2026-11-27T18:00:00+02', ZONE],
  ['2026-11-27T18:00:00+0200', ZONE],
  ['2026-11-27T18:00:00Zx', ZONE],
  ['2026-11-27T18:00:00 CET', ZONE],
  ['2025-02-29T00:00:00Z', DAY],
  ['2026-13-01T00:00:00Z', DAY],
  ['2026-11-27T24:00:00Z', DAY],
  ['2026-11-27T18:60:00Z', DAY],
  ['2026-11-27T18:00xZ', DAY],
  ['1999-12-31T23:59:59.999Z', RANGE],
  ['2100-01-01T00:00:00.001Z', RANGE],
])('%j is no time: %s', (text, message) => {
  expect(errorOf(text)).toEqual([message]);
});

import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { preferenceApplied, preferredWait } from '../../../../apps/api/http/prefer.js';

const waitOf = (prefer?: string) =>
  preferredWait({ headers: prefer === undefined ? {} : { prefer } } as IncomingMessage);

test.each([
  ['wait=5', 5],
  ['WAIT = "5"', 5],
  ['respond-async, wait=10', 10],
  ['wait=10; foo, respond-async', 10],
  ['respond-async wait=7', 7],
  ['wait=30', 30],
  ['wait=31', 30],
  ['wait=999999999', 30],
  ['wait=0', 0],
])('the client of "%s" waits %i s', (prefer, seconds) => expect(waitOf(prefer)).toBe(seconds));

test.each(['', 'wait', 'wait=', 'wait=x', 'wait=-1', 'wait=5x', 'wait=1234567890', 'await=5', 'respond-async'])(
  'the client of "%s" does not wait',
  prefer => expect(waitOf(prefer)).toBe(0),
);

test('a client without the header does not wait', () => expect(waitOf()).toBe(0));

test('a wait is confirmed, and no wait is not', () => {
  expect(preferenceApplied(5)).toEqual({ 'preference-applied': 'wait=5' });
  expect(preferenceApplied(0)).toEqual({});
});

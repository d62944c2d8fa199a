import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { ACTORS } from '../../../apps/worker/maintenance.js';

// The promises of docs/guarantees.md count on these times. A test that waited for them would only see that a round comes at all.

const HOURLY = 3_600;

/** Returns the time between two rounds, in s, of a schedule as the actors have it. */
function intervalOf(at: string): number {
  const [second = '', minute = '', ...rest] = at.split(' ');
  if (rest.join(' ') !== '* * * *') throw new Error(`no schedule that this test reads: ${at}`);
  const every = /^\*\/(\d+)$/.exec(second)?.[1];
  if (every && minute === '*') return Number(every);
  if (/^\d+$/.test(second) && /^\d+$/.test(minute)) return HOURLY;
  throw new Error(`no schedule that this test reads: ${at}`);
}

test('each actor runs as often as its promise needs', () => {
  expect(Object.fromEntries(ACTORS.map(({ name, at }) => [name, intervalOf(at)]))).toEqual({
    reconcile: 5,
    rescue: 2,
    'expire-overdue': 2,
    'deliver-events': 1,
    'keep-entries': 1,
    'draw-lots': 1,
    'ask-beacon': 1,
    'ask-providers': 1,
    'finish-payments': 2,
    'tell-shop': 1,
    'check-books': 10,
    prune: HOURLY,
  });
});

test('ARCHITECTURE.md says how often each actor runs', () => {
  const text = readFileSync(join(checkout, 'ARCHITECTURE.md'), 'utf8');
  const said = ACTORS.map(({ name }) => {
    const cell = new RegExp(`^\\| \`${name}\` +\\| ([^|]+)`, 'm').exec(text)?.[1] ?? '';
    const seconds = /^every (\d+) s\b/.exec(cell)?.[1];
    return [name, cell.startsWith('hourly') ? HOURLY : Number(seconds)];
  });
  expect(said).toEqual(ACTORS.map(({ name, at }) => [name, intervalOf(at)]));
});

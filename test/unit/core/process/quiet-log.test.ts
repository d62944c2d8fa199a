import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createQuietLog } from '#core/process/quiet-log.js';
import { eventually } from '../../../support/eventually.js';

function listen() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null, timestamp: false }, { write: line => lines.push(JSON.parse(line)) });
  return { lines, warn: createQuietLog(log) };
}

test('a message repeated within a second is logged once, with the first fields', () => {
  const { lines, warn } = listen();
  for (let i = 0; i < 200; i += 1) warn('a token is refused', { i });
  expect(lines).toEqual([{ level: 40, msg: 'a token is refused', i: 0 }]);
});

test('other messages have lines of their own', () => {
  const { lines, warn } = listen();
  for (const message of ['one', 'two', 'one']) warn(message, {});
  expect(lines.map(line => line.msg)).toEqual(['one', 'two']);
});

test('the next line, a second later, has the number of warnings that were not logged', async () => {
  const { lines, warn } = listen();
  let tries = 0;
  await eventually(() => {
    tries += 1;
    warn('a token is refused', { tries });
    expect(lines).toHaveLength(2);
  });
  expect(lines[1]).toMatchObject({ tries, notLogged: tries - 2 });
});

import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { below, PRODUCT, readCheckout } from './rules/checkout.js';
import { expectNone } from './rules/finding.js';

// Rules for what runs inside Redis.

const CODE_LINES_MAX = 60;

const scripts = below(readCheckout(join(import.meta.dirname, '../../..')), PRODUCT).filter(({ path }) =>
  path.endsWith('.lua'),
);
const entryPoints = scripts.filter(({ path }) => !path.includes('/include/'));

const isCode = (line: string): boolean => line.trim() !== '' && !/^(--|#!)/.test(line.trim());

/** The comment above the first line of code. */
function headerOf(script: string): string {
  const lines = script.split('\n');
  const end = lines.findIndex(isCode);
  return lines.slice(0, end === -1 ? lines.length : end).join('\n');
}

describe('scripts', () => {
  test.each(['KEYS', 'ARGV', 'Returns'])('the header of each script tells its %s', word => {
    const silent = entryPoints.filter(({ text }) => !headerOf(text).includes(word));
    const findings = silent.map(({ path }) => ({ path, text: `${word} is missing` }));
    expectNone(findings, 'the comment at the top says what the script takes and gives');
  });

  test('a script blocks Redis, so it is short', () => {
    const measured = scripts.map(({ path, text }) => ({ path, lines: text.split('\n').filter(isCode).length }));
    const long = measured.filter(({ lines }) => lines > CODE_LINES_MAX);
    const findings = long.map(({ path, lines }) => ({ path, text: `${lines} lines of code` }));
    expectNone(findings, `at most ${CODE_LINES_MAX} lines of code: move a step to lua/include/, or out of Redis`);
  });
});

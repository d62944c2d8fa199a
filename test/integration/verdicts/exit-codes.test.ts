import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';

// The programs whose exit code is a verdict, as processes. Their verdicts about whole runs have tests of their own.

/** Runs a program from its sources, and returns its exit code and its error output. */
async function run(main: string, args: string[]): Promise<{ exitCode: number | null; said: string }> {
  const command = ['--conditions=source', '--import', 'tsx', main, ...args];
  // The cache of tsx would leave a folder behind.
  const env = { PATH: process.env.PATH, TSX_DISABLE_CACHE: '1' };
  const child = spawn(process.execPath, command, { cwd: checkout, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { exitCode, said };
}

test('npm run simulate ends with 0 when every history keeps the promises', async () => {
  expect(await run('test/simulation/main.ts', ['--histories', '20'])).toEqual({ exitCode: 0, said: '' });
});

test.each([
  ['chaos', 'test/chaos/main.ts', ['--minutes', '0'], '--minutes must be a number above 0'],
  ['chaos:matrix', 'test/chaos/matrix/main.ts', ['place.stor'], 'no crash point and no mode: place.stor'],
  ['chaos:failovers', 'test/chaos/failovers/main.ts', ['--json'], 'usage: npm run chaos:failovers'],
  ['simulate', 'test/simulation/main.ts', ['--histories', '0'], '--histories must be a whole number from 1 up'],
  ['fuzz', 'test/fuzz/main.ts', ['--inputs', '0'], '--inputs must be a number above 0'],
  ['controls', 'test/controls/main.ts', ['no-such-bug'], 'no bug has one of these words in its name: no-such-bug'],
  ['bench', 'bench/main.ts', ['--against', 'no/such/folder'], 'no/such/folder'],
  ['test:upgrade', 'test/upgrade/main.ts', ['--from', 'no-such-commit'], 'no-such-commit'],
])('npm run %s ends with 1 when there is nothing that it could judge', async (_, main, args, message) => {
  const { exitCode, said } = await run(main, args);
  expect({ exitCode, said }).toEqual({ exitCode: 1, said: expect.stringContaining(message) });
});

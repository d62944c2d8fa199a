import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { createScratch, type Edit, type Scratch } from '../../support/scratch.js';

// The programs whose exit code is a verdict, on a product with a bug, and a benchmark with a promise that nothing can keep: each
// whole run has to end with 1. `npm test` leaves these tests out; `npm run test:e2e` runs them.

const RUN_MS = 10 * 60_000;

/** Every winner of a batch gets its first unit, which stays in stock. */
const OVERSOLD: Edit = {
  file: 'core/redis/lua/claim.lua',
  find: "redis.call('LPOP', KEYS[2], #winners)",
  replace: "redis.call('LRANGE', KEYS[2], 0, #winners - 1)",
};

/** A provider's older total replaces a newer one. */
const FORGOTTEN_REFUND: Edit = {
  file: 'core/rules/payment-money.ts',
  find: 'return Math.max(returnedMinor, Math.min(takenMinor, told));',
  replace: 'return returnedMinor === told ? told : Math.min(takenMinor, told);',
};

/** A request without the right form is answered as if the server had failed. */
const BLAMED_SERVER: Edit = {
  file: 'core/rules/errors.ts',
  find: 'invalid_request: {\n    status: 400,',
  replace: 'invalid_request: {\n    status: 500,',
};

/** These rounds are the fewest that give an interval, and enough for a promise that nothing can keep. */
const FEW_ROUNDS: Edit = {
  file: 'bench/against/ratio.ts',
  find: 'ROUNDS_MIN = 9',
  replace: 'ROUNDS_MIN = 6',
};

let scratch: Scratch;

beforeAll(async () => {
  scratch = await createScratch();
});
afterAll(() => scratch?.remove());

/** Runs an npm script in the copy of the sources, and returns its exit code and everything it said. */
async function npmRun(script: string, args: string[]): Promise<{ exitCode: unknown; said: string }> {
  const child = spawn('npm', ['run', '-s', script, '--', ...args], {
    cwd: scratch.folder,
    // The cache of tsx would leave a folder behind.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TSX_DISABLE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode, said: stdout + stderr };
}

test.each<[string, Edit, string[], RegExp]>([
  ['simulate', FORGOTTEN_REFUND, ['--histories', '3000', '--seed', '1'], /"violations": [1-9]/],
  ['chaos', OVERSOLD, ['--minutes', '0.2', '--seed', '1', '--json'], /"violations":\["/],
  ['chaos:matrix', OVERSOLD, ['place.stored', 'kill'], /1 failed or were not reached/],
  ['fuzz', BLAMED_SERVER, ['--inputs', '500', '--seed', '1', '--json'], /"findings":\[\{/],
  ['bench', FEW_ROUNDS, ['--against', checkout, '--quick', '--promise', '3', '--json'], /"missed":\["/],
])(
  'npm run %s ends with 1 on what it is there for',
  async (script, edit, args, verdict) => {
    const { exitCode, said } = await scratch.withEdits([edit], () => npmRun(script, args));
    expect({ exitCode, said }).toEqual({ exitCode: 1, said: expect.stringMatching(verdict) });
  },
  RUN_MS,
);

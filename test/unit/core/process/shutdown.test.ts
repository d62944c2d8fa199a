import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { createLogger } from '#core/process/logger.js';
import { runSteps } from '#core/process/shutdown.js';

const log = createLogger('test', 'silent');
const never = () => new Promise<never>(() => undefined);

test('the steps run one after the other', async () => {
  const ran: string[] = [];
  const step = (name: string) => ({
    name,
    run: async () => {
      await new Promise(setImmediate);
      ran.push(name);
    },
  });
  expect(await runSteps([step('server'), step('stores')], 1_000, log)).toBe(true);
  expect(ran).toEqual(['server', 'stores']);
});

test('a step that throws or rejects does not stop the next step', async () => {
  const ran: string[] = [];
  const steps = [
    { name: 'throws', run: () => fail() },
    { name: 'rejects', run: async () => fail() },
    { name: 'stores', run: () => ran.push('stores') },
  ];
  expect(await runSteps(steps, 1_000, log)).toBe(false);
  expect(ran).toEqual(['stores']);
});

test('steps that never end are given up at one common deadline', async () => {
  const startedAt = performance.now();
  const steps = Array.from({ length: 200 }, (_, i) => ({ name: `hangs-${i}`, run: never }));
  expect(await runSteps(steps, 50, log)).toBe(false);
  // With a deadline for each, one after the other.
  expect(performance.now() - startedAt).toBeLessThan(200 * 50);
});

test.each(['admin', 'api', 'worker'])('the %s obeys signals before it waits for anything', async name => {
  const main = await readFile(join(checkout, 'apps', name, 'main.ts'), 'utf8');
  expect(main.indexOf('onShutdown(')).toBeGreaterThan(0);
  expect(main.indexOf('onShutdown(')).toBeLessThan(main.search(/\bawait\b/));
});

function fail(): never {
  throw new Error('the step failed');
}

import { expect, test } from '@jest/globals';
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

test('a step that fails, at once or later, does not keep the next from running', async () => {
  const ran: string[] = [];
  const steps = [
    { name: 'throws', run: () => fail() },
    { name: 'rejects', run: async () => fail() },
    { name: 'stores', run: () => ran.push('stores') },
  ];
  expect(await runSteps(steps, 1_000, log)).toBe(false);
  expect(ran).toEqual(['stores']);
});

test('a step that never ends is given up at the deadline of all of them', async () => {
  const startedAt = performance.now();
  const steps = [
    { name: 'hangs', run: never },
    { name: 'hangs too', run: never },
  ];
  expect(await runSteps(steps, 50, log)).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

function fail(): never {
  throw new Error('it does not end');
}

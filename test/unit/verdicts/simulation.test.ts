import { expect, test } from '@jest/globals';
import { FAULTS, rulesWith } from '../../simulation/faults.js';
import { RULES } from '../../simulation/model/rules.js';
import { exitCodeOf, runSimulation } from '../../simulation/run.js';

const HISTORIES = { histories: 300, seed: 1 };

test('a run whose histories keep every promise tells nothing and ends with 0', () => {
  const told: string[] = [];
  const result = runSimulation(RULES, HISTORIES, line => told.push(line));
  expect(result).toMatchObject({ ...HISTORIES, violations: 0 });
  expect(exitCodeOf(result)).toBe(0);
  expect(told).toEqual([]);
});

test('a run with a broken promise tells the first one in its shortest form, how to repeat it, and ends with 1', () => {
  const fault = FAULTS.find(({ fault: name }) => name === 'a dispute is ignored');
  if (!fault) throw new Error('the fault has another name');
  const told: string[] = [];
  const result = runSimulation(rulesWith(fault), HISTORIES, line => told.push(line));
  expect(result.violations).toBeGreaterThan(0);
  expect(exitCodeOf(result)).toBe(1);
  const repeat = told.at(-1) ?? '';
  expect(repeat).toMatch(/^npm run simulate -- --histories 1 --seed \d+$/);
  const seed = Number(repeat.split(' ').at(-1));
  expect(runSimulation(rulesWith(fault), { histories: 1, seed }, () => undefined).violations).toBe(1);
});

import { expect, test } from '@jest/globals';
import { exitCodeOf } from '../../chaos/failovers/failover-verdict.js';

const QUICK = Array.from({ length: 19 }, () => 1_000);

const codeOf = (all: number[], violations: string[] = []) => exitCodeOf([{ all, violations }]);

test('failovers whose claims are answered within 5 s end with 0, and one of 20 may take up to 10 s', () => {
  expect([codeOf([...QUICK, 5_000]), codeOf([...QUICK, 10_000])]).toEqual([0, 0]);
});

test.each([
  ['a violation', codeOf(QUICK, ['I1: a unit was sold twice'])],
  ['two recoveries of 20 that take longer than 5 s', codeOf([...QUICK.slice(1), 5_001, 5_001])],
  ['a recovery that takes longer than 10 s', codeOf([...QUICK, 10_001])],
  ['a claim that no API accepts', codeOf([...QUICK, Number.NaN])],
])('%s ends the run with 1', (_, code) => {
  expect(code).toBe(1);
});

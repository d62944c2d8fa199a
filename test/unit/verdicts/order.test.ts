import { describe, expect, test } from '@jest/globals';
import { chooseFiles, failuresOf, patternOf, roundsOf, testsOf } from '../../order/order.js';

const PASSED = 'passed';
const REPORT = {
  testResults: [
    {
      name: 'a.test.ts',
      message: '',
      assertionResults: [
        { fullName: 'sells (once)', status: PASSED },
        { fullName: 'sells twice', status: 'failed' },
        { fullName: 'sells later', status: 'pending' },
      ],
    },
    { name: 'b.test.ts', message: '', assertionResults: [{ fullName: 'pays', status: PASSED }] },
  ],
};

describe('the order of tests', () => {
  test('a failed test is a failure, with its file and the order', () => {
    expect(failuresOf(REPORT, 'alone')).toEqual(['alone: a.test.ts: sells twice']);
  });

  test('a file that could not be run is a failure', () => {
    const broken = { testResults: [{ name: 'c.test.ts', message: 'no such module', assertionResults: [] }] };
    expect(failuresOf(broken, 'alone')).toEqual(['alone: c.test.ts: no such module']);
  });

  test('a round has one test of each file', () => {
    const rounds = roundsOf(testsOf(REPORT));
    expect(rounds.map(round => round.map(({ fullName }) => fullName))).toEqual([
      ['sells (once)', 'pays'],
      ['sells twice'],
    ]);
    expect(roundsOf(testsOf(REPORT), 1)).toHaveLength(1);
  });

  test('the pattern of a round fits its tests only', () => {
    const pattern = new RegExp(patternOf(roundsOf(testsOf(REPORT))[0] ?? []));
    expect(['sells (once)', 'pays', 'sells twice', 'it pays', 'pays back'].filter(name => pattern.test(name))).toEqual([
      'sells (once)',
      'pays',
    ]);
  });

  test('a sample follows from its seed', () => {
    const files = ['e', 'd', 'c', 'b', 'a'];
    expect(chooseFiles(files, 1)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const samples = [1, 2, 3, 4, 5].map(seed => chooseFiles(files, seed, 2).join(''));
    expect(chooseFiles([...files].reverse(), 3, 2).join('')).toBe(samples[2]);
    expect(new Set(samples).size).toBeGreaterThan(1);
    expect(samples.every(sample => sample.length === 2)).toBe(true);
  });
});

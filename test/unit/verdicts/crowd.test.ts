import { describe, expect, test } from '@jest/globals';
import { exitCodeOf, holds } from '#stack/crowd/reckoning.js';
import { GOOD, wrongVerdicts } from './wrong-verdicts.js';

const BAD = wrongVerdicts(GOOD);

describe('a verdict about a crowd', () => {
  test('holds without a violation, and the program ends with 0', () => {
    expect(holds(GOOD)).toBe(true);
    expect(exitCodeOf(GOOD, 0)).toBe(0);
  });

  test.each(BAD)('does not hold with %s, and the program ends with 1', (_, verdict) => {
    expect(holds(verdict)).toBe(false);
    expect(exitCodeOf(verdict, 0)).toBe(1);
  });

  test('a buyer without an answer ends the program with 1, with a verdict or without', () => {
    expect(exitCodeOf(GOOD, 1)).toBe(1);
    expect(exitCodeOf(undefined, 1)).toBe(1);
  });

  test('a crowd that can not be proved ends with 0 if every buyer was answered', () => {
    expect(exitCodeOf(undefined, 0)).toBe(0);
  });
});

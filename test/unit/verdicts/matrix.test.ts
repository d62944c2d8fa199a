import { describe, expect, test } from '@jest/globals';
import { CRASH_MODES } from '#core/process/crash-point.js';
import type { CrashResult } from '../../chaos/matrix/crash-case.js';
import { CASES, casesOf, cellOf, exitCodeOf, failuresOf, judged } from '../../chaos/matrix/matrix-verdict.js';

const WHOLE: CrashResult = { name: 'place.store', mode: 'kill', reached: true, restMs: 15_000, violations: [] };
const BROKEN: CrashResult = { ...WHOLE, violations: ['sql: a release was not carried out'] };
const UNREACHED: CrashResult = { ...WHOLE, reached: false };

describe('the verdict about the crash matrix', () => {
  test('cases that were reached and broke nothing end the run with 0', () => {
    expect(exitCodeOf([WHOLE, WHOLE])).toBe(0);
    expect(cellOf(WHOLE)).toBe('15.0 s');
  });

  test('one broken promise ends the run with 1', () => {
    expect(exitCodeOf([WHOLE, BROKEN])).toBe(1);
    expect(failuresOf([WHOLE, BROKEN])).toEqual([BROKEN]);
    expect(cellOf(BROKEN)).toBe('**broken**');
  });

  test('a crash point that no case reached ends the run with 1', () => {
    expect(exitCodeOf([WHOLE, UNREACHED])).toBe(1);
    expect(cellOf(UNREACHED)).toBe('not reached');
  });

  test('a case that is at rest only after 15 s is broken', () => {
    expect(judged(WHOLE)).toEqual(WHOLE);
    expect(exitCodeOf([judged({ ...WHOLE, restMs: 15_001 })])).toBe(1);
  });
});

describe('the words after the command', () => {
  test('name crash points, modes or both', () => {
    expect(casesOf([])).toEqual(CASES);
    expect(casesOf(['place.store', 'kill'])).toEqual([['place.store', 'kill']]);
    expect(casesOf(['place.store']).map(([, mode]) => mode)).toEqual(CRASH_MODES);
    expect(casesOf(['kill']).every(([, mode]) => mode === 'kill')).toBe(true);
  });

  test('are refused when no case has them', () => {
    expect(() => casesOf(['place.stor'])).toThrow('no crash point and no mode: place.stor');
    expect(() => casesOf(['claim.answered', 'reply-lost'])).toThrow('no crash point has this mode');
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Area } from '../../mutants/targets.js';
import { intervalOf, missedBy, percentOf, type Score } from '../../mutants/verdict.js';

const score = (mutants: number, caught: number, equivalent = 0): Score => ({ mutants, caught, equivalent });
const scores = (money: Score, rest: Score): Map<Area, Score> =>
  new Map([
    ['money and scripts', money],
    ['the rest', rest],
  ]);

describe('the verdict of a run of mutants', () => {
  test('a run in which each limit is just met misses nothing', () => {
    expect(missedBy({ scores: scores(score(100, 98), score(100, 90)), choice: 'all', red: [], untried: 0 })).toEqual(
      [],
    );
  });

  test('one survivor too many in money and scripts is named', () => {
    const missed = missedBy({ scores: scores(score(100, 97), score(100, 100)), choice: 'all', red: [], untried: 0 });
    expect(missed).toEqual(['money and scripts: 97.0 % caught, and at least 98 % must be']);
  });

  test('one survivor too many in the rest is named, and money does not make up for it', () => {
    const missed = missedBy({
      scores: scores(score(1_000, 1_000), score(100, 89)),
      choice: 'all',
      red: [],
      untried: 0,
    });
    expect(missed).toEqual(['the rest: 89.0 % caught, and at least 90 % must be']);
  });

  test('a sample and the changed lines have one limit for both areas together', () => {
    const together = scores(score(10, 7), score(10, 10));
    expect(missedBy({ scores: together, choice: 'sample', red: [], untried: 0 })).toHaveLength(1);
    expect(missedBy({ scores: together, choice: 'changed', red: [], untried: 0 })).toEqual([]);
    expect(
      missedBy({ scores: scores(score(10, 6), score(10, 10)), choice: 'changed', red: [], untried: 0 }),
    ).toHaveLength(1);
  });

  test('a test that fails without a mutant is no proof, whatever was caught', () => {
    const red = ['test/unit/a.test.ts'];
    expect(missedBy({ scores: scores(score(1, 1), score(1, 1)), choice: 'all', red, untried: 0 })).toEqual([
      'test/unit/a.test.ts fails without any mutant',
    ]);
  });

  test('a run that is not at its end proves nothing yet', () => {
    const missed = missedBy({ scores: scores(score(1, 1), score(1, 1)), choice: 'all', red: [], untried: 7 });
    expect(missed).toEqual(['7 mutants are not tried yet']);
  });

  test('equivalent mutants count neither as caught nor as missed', () => {
    expect(percentOf(score(100, 49, 50))).toBe(98);
    expect(percentOf(score(5, 0, 5))).toBe(100);
  });

  test('the interval of a sample is that of Wilson', () => {
    const [low, high] = intervalOf(score(600, 540));
    expect([low.toFixed(1), high.toFixed(1)]).toEqual(['87.3', '92.2']);
    expect(intervalOf(score(10, 10)).map(Math.round)).toEqual([72, 100]);
    expect(intervalOf(score(0, 0))).toEqual([0, 100]);
  });
});

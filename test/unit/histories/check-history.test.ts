import { describe, expect, test } from '@jest/globals';
import { checkHistory } from '../../chaos/history/check-history.js';
import { DRAW_RULES, RULES, type Rule } from '../../chaos/history/evidence.js';
import { BAD_CLAIM_HISTORIES } from './bad-claims.js';
import { BAD_MONEY_HISTORIES } from './bad-money.js';
import { GOOD_HISTORIES } from './good.js';
import { BAD_HOLDING_HISTORIES, GOOD_HOLDING_HISTORIES } from './holding.js';
import { evidenceOf, type WrittenHistory } from './written-history.js';

const BAD_HISTORIES = [...BAD_CLAIM_HISTORIES, ...BAD_MONEY_HISTORIES, ...BAD_HOLDING_HISTORIES];

const brokenRules = (history: WrittenHistory): Rule[] => [
  ...new Set(checkHistory(evidenceOf(history)).map(({ rule }) => rule)),
];

describe('good histories', () => {
  test.each([...GOOD_HISTORIES, ...GOOD_HOLDING_HISTORIES])('%s', (_, history) =>
    expect(checkHistory(evidenceOf(history))).toEqual([]),
  );
});

describe('bad histories', () => {
  test.each(BAD_HISTORIES)('%s: %s', (rule, _, history) => expect(brokenRules(history)).toContain(rule));

  // test/unit/verdicts/draws.test.ts breaks the rules of draws.
  test('every rule is broken by a bad history', () => {
    const others = RULES.filter(rule => !DRAW_RULES.some(one => one === rule));
    expect(others.filter(rule => !BAD_HISTORIES.some(([broken]) => broken === rule))).toEqual([]);
  });
});

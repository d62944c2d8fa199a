import { checkAnswers } from './check-answers.js';
import { checkClaims } from './check-claims.js';
import { checkCounter } from './check-counter.js';
import { checkMoney } from './check-money.js';
import { viewClaims } from './claim-view.js';
import type { Evidence, Violation } from './evidence.js';

/**
 * Checks a history against everything that was promised. What is unknown may count either way: nothing that could have gone
 * right is reported.
 *
 * @param evidence a history and what it ended in
 * @returns what was broken
 */
export function checkHistory(evidence: Evidence): Violation[] {
  const views = viewClaims(evidence);
  return [
    ...checkClaims(evidence, views),
    ...checkCounter(evidence, views),
    ...checkAnswers(evidence, views),
    ...checkMoney(evidence),
  ];
}

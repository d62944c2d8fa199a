import { checkAnswers } from './checks/answers.js';
import { checkClaims } from './checks/claims.js';
import { checkCounter } from './checks/counter.js';
import { checkDraws } from './checks/draws.js';
import { checkHolding } from './checks/holding.js';
import { checkMoney } from './checks/money.js';
import { viewClaims } from './claim-view.js';
import type { Evidence, Violation } from './evidence.js';

/**
 * Checks a history against every promise of Dropline. An unknown outcome counts in favour: a violation is certain.
 */
export function checkHistory(evidence: Evidence): Violation[] {
  const views = viewClaims(evidence);
  return [
    ...checkClaims(evidence, views),
    ...checkCounter(evidence, views),
    ...checkAnswers(evidence, views),
    ...checkMoney(evidence),
    ...checkDraws(evidence),
    ...checkHolding(evidence, views),
  ];
}

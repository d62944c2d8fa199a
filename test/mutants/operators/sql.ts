import type { Operators } from '../mutant.js';
import { type Change, mutantsOf } from './change.js';
import { clauseChanges } from './sql/clauses.js';
import { assignmentChanges, comparisonChanges } from './sql/comparisons.js';
import { conditionChanges, conditionsOf, decidingTokens } from './sql/conditions.js';
import { expressionChanges } from './sql/expressions.js';
import { readSqlPieces } from './sql/pieces.js';
import { readSql } from './sql/tree.js';

/**
 * Makes the mutants of the SQL in a migration or a TypeScript file: conditions, comparisons, locks, conflicts, limits, orders,
 * assignments and amounts. A placeholder stays as it is.
 */
export const sqlMutants: Operators = (file, text) =>
  mutantsOf(
    file,
    text,
    [...changesIn(file, text)].filter(change => keepsParameters(text, change)),
  );

/** A statement that does not name each parameter that it is given is refused, whatever it says. */
function keepsParameters(text: string, { start, end, replacement }: Change): boolean {
  return !/\$\d/.test(text.slice(start, end)) || /\$\d/.test(replacement);
}

function* changesIn(file: string, text: string): Iterable<Change> {
  for (const piece of readSqlPieces(file, text)) {
    const sql = readSql(text, piece);
    const conditions = conditionsOf(sql);
    for (const condition of conditions) yield* conditionChanges(sql, condition);
    yield* comparisonChanges(sql, text, decidingTokens(sql, conditions));
    yield* assignmentChanges(sql);
    yield* expressionChanges(sql, text);
    yield* clauseChanges(sql);
  }
}

import type { Change } from '../change.js';
import { cutsOf, indexOutside, rangeOf, type Span, type Sql, splitSpan, wordOf } from './tree.js';

/** A condition of a statement, and the word before it. A `fragment` is a condition that another statement includes. */
export interface Condition extends Span {
  after: 'WHERE' | 'HAVING' | 'ON' | 'CHECK' | 'WHEN' | 'IF' | 'fragment';
}

const ENDS = new Set(
  'GROUP ORDER HAVING LIMIT OFFSET RETURNING FOR UNION WINDOW WHERE ON JOIN LEFT INNER CROSS SET EXECUTE THEN , ; $$'.split(
    ' ',
  ),
);

const STATEMENTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'CREATE', 'ALTER', 'DROP', 'CASE'];
const OF_CONDITIONS = /^(?:AND|OR|NOT|IS|IN|EXISTS|BETWEEN|=|<>|<|>|<=|>=)$/;

/** Finds the conditions of a piece of SQL. */
export function conditionsOf(sql: Sql): Condition[] {
  const conditions = sql.tokens.flatMap((_, at) => conditionAfter(sql, at));
  return [...fragmentsOf(sql), ...conditions].filter(({ from, to }) => from < to);
}

function conditionAfter(sql: Sql, at: number): Condition[] {
  const { tokens, partners } = sql;
  const word = wordOf(tokens[at]);
  const next = partners.get(at + 1) ?? -1;
  const to = () => indexOutside(sql, at + 1, end => ENDS.has(end));
  if (word === 'WHERE' || word === 'HAVING') return [{ after: word, from: at + 1, to: to() }];
  if (word === 'ON' && isOfJoin(sql, at)) return [{ after: word, from: at + 1, to: to() }];
  if (word === 'CHECK' || (word === 'WHEN' && wordOf(tokens[at - 1]) === 'ROW')) {
    // A trigger that is never run is the same as none.
    return next > at ? [{ after: 'CHECK', from: at + 2, to: next }] : [];
  }
  if (word !== 'WHEN' && word !== 'IF') return [];
  // `CASE x WHEN 'a'` has a value there, and `IF EXISTS` no THEN.
  const isCondition = word === 'IF' ? wordOf(tokens[at - 1]) !== 'END' : isSearched(sql, at);
  const end = to();
  return isCondition && wordOf(tokens[end]) === 'THEN' ? [{ after: word, from: at + 1, to: end }] : [];
}

function isOfJoin({ tokens, partners }: Sql, on: number): boolean {
  for (let at = on - 1; at >= 0; at--) {
    const partner = partners.get(at);
    if (partner !== undefined && partner > at) return false;
    if (partner !== undefined) at = partner;
    const word = wordOf(tokens[at]);
    if (word === 'JOIN') return true;
    if (['ON', 'WHERE', ';'].includes(word)) return false;
  }
  return false;
}

function isSearched({ tokens, partners }: Sql, when: number): boolean {
  const opens = [...partners].filter(([from, to]) => from < when && when < to).map(([from]) => from);
  const innermost = Math.max(...opens);
  return wordOf(tokens[innermost]) === 'CASE' && wordOf(tokens[innermost + 1]) === 'WHEN';
}

function fragmentsOf(sql: Sql): Condition[] {
  if (STATEMENTS.includes(wordOf(sql.tokens[0]))) return [];
  const to = indexOutside(sql, 0, word => ENDS.has(word));
  if (wordOf(sql.tokens[to]) === ',') return [];
  const isCondition = indexOutside(sql, 0, word => OF_CONDITIONS.test(word)) < to;
  return isCondition ? [{ after: 'fragment', from: 0, to }] : [];
}

/** Takes conditions out, one at a time. Also makes a whole one false: the statement then finds nothing. */
export function* conditionChanges(sql: Sql, condition: Condition): Iterable<Change> {
  const { after, from } = condition;
  const operator = 'condition gone';
  const whole = rangeOf(sql, condition);
  if (/^(?:AND|OR)$/.test(wordOf(sql.tokens[from]))) {
    yield { operator, ...whole, replacement: '' };
    return;
  }
  yield* operandChanges(sql, condition);
  if (!isChain(sql, condition)) yield { operator, ...whole, replacement: 'true' };
  // A unique index of no rows is the same as none.
  const isOfIndex =
    sql.tokens.slice(0, from).findLast(token => [';', 'INDEX'].includes(wordOf(token)))?.kind === 'word';
  if (!isOfIndex && ['WHERE', 'HAVING', 'WHEN', 'IF'].includes(after))
    yield { operator, ...whole, replacement: 'false' };
}

function isChain(sql: Sql, span: Span): boolean {
  return ['OR', 'AND'].some(word => splitSpan(sql, span, word).length > 1);
}

function* operandChanges(sql: Sql, span: Span): Iterable<Change> {
  const either = splitSpan(sql, span, 'OR');
  yield* without(sql, either);
  for (const all of either) {
    const operands = splitSpan(sql, all, 'AND');
    yield* without(sql, operands);
    for (const operand of operands) yield* groupChanges(sql, operand);
  }
}

/** Takes one of several operands out, with the AND or OR before or after it. */
function without(sql: Sql, operands: Span[]): Change[] {
  return cutsOf(sql, operands).map(cut => ({ operator: 'condition gone', ...cut, replacement: '' }));
}

/** Changes the conditions in parentheses, as of `(a OR b)` and `NOT (a AND b)`. */
function groupChanges(sql: Sql, operand: Span): Change[] {
  const group = groupIn(sql, operand);
  return group ? [...operandChanges(sql, group)] : [];
}

function groupIn(sql: Sql, { from, to }: Span): Span | undefined {
  const open = wordOf(sql.tokens[from]) === 'NOT' ? from + 1 : from;
  if (wordOf(sql.tokens[open]) !== '(' || sql.partners.get(open) !== to - 1) return undefined;
  return { from: open + 1, to: to - 1 };
}

/** Returns the operands of a condition, also those in parentheses. */
function operandsOf(sql: Sql, condition: Span): Span[] {
  const operands = splitSpan(sql, condition, 'OR').flatMap(all => splitSpan(sql, all, 'AND'));
  return operands.flatMap(operand => {
    const group = groupIn(sql, operand);
    return group ? operandsOf(sql, group) : [operand];
  });
}

/**
 * Returns the tokens that decide an operand of a condition, such as its `=`. A test that misses the operand notices these when
 * they are turned.
 */
export function decidingTokens(sql: Sql, conditions: Condition[]): Set<number> {
  const deciding = new Set<number>();
  for (const { from, to } of conditions.flatMap(condition => operandsOf(sql, condition))) {
    for (let at = from; at < to; at = Math.max(at, sql.partners.get(at) ?? at) + 1) deciding.add(at);
  }
  return deciding;
}

import type { Change } from '../change.js';
import { cutsOf, indexOutside, type Span, type Sql, splitSpan, wordOf } from './tree.js';

const TURNED: Record<string, string> = { '=': '<>', '<>': '=', '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

/** No test can meet the very microsecond of a clock, so a comparison with one is turned round. */
const TURNED_ROUND: Record<string, string> = { '<': '>', '<=': '>', '>': '<', '>=': '<' };
const OF_CLOCK = /clock_timestamp|_SINCE|\bNOW\b/;

/**
 * Turns the comparisons: signs, tests of NULL, DISTINCT FROM and EXISTS. Also takes a constant out of a list.
 *
 * @param deciding the tokens that decide an operand of a condition: there only `<`, `<=`, `>` and `>=` of no clock are turned,
 * as every test that notices the missing operand notices the rest
 */
export function* comparisonChanges(sql: Sql, text: string, deciding: Set<number>): Iterable<Change> {
  const { tokens } = sql;
  const assigning = assignmentsOf(sql);
  for (const at of tokens.keys()) {
    const words = tokens.slice(at, at + 3).map(wordOf);
    if (TURNED[words[0] ?? ''] && !assigning.has(at)) yield* signChanges(sql, text, { at, decides: deciding.has(at) });
    if (words[0] === 'IN' && words[1] === '(') yield* listChanges(sql, at + 1);
    if (deciding.has(at)) continue;
    if (words[0] === 'IS') yield* testChanges(sql, at, words);
    if (words[0] === 'EXISTS' && words[1] === '(') yield existsChange(sql, at);
  }
}

function* testChanges(sql: Sql, at: number, [, second, third]: string[]): Iterable<Change> {
  const { tokens } = sql;
  const operator = 'comparison turned';
  const { start = 0 } = tokens[at] ?? {};
  const end = (words: number) => tokens[at + words - 1]?.end ?? start;
  if (second === 'NULL') yield { operator, start, end: end(2), replacement: 'IS NOT NULL' };
  if (second === 'DISTINCT') yield { operator, start, end: end(2), replacement: 'IS NOT DISTINCT' };
  if (second !== 'NOT') return;
  if (third === 'NULL' || third === 'DISTINCT') yield { operator, start, end: end(3), replacement: `IS ${third}` };
}

/** Returns where `=` assigns: the first one of each part of SET, also of a storage parameter. */
function assignmentsOf(sql: Sql): Set<number> {
  const assigning = new Set<number>();
  for (const set of setsOf(sql)) {
    for (const { from, to } of splitSpan(sql, set, ',')) {
      const isParameter = wordOf(sql.tokens[from]) === '(';
      const sign = indexOutside(sql, isParameter ? from + 1 : from, word => word === '=');
      if (sign < to) assigning.add(sign);
    }
  }
  return assigning;
}

/** Returns what follows each SET of an UPDATE, and each USING of RAISE. */
function setsOf(sql: Sql): Span[] {
  return sql.tokens.flatMap((token, at) => {
    if (!['SET', 'USING'].includes(wordOf(token))) return [];
    return [{ from: at + 1, to: indexOutside(sql, at + 1, word => /^(?:FROM|WHERE|RETURNING|;)$/.test(word)) }];
  });
}

/** Takes one of several assignments of an UPDATE out. The version is left, as a trigger refuses a change without it. */
export function assignmentChanges(sql: Sql): Change[] {
  return setsOf(sql).flatMap(set => {
    const parts = splitSpan(sql, set, ',');
    const isVersion = (n: number) => wordOf(sql.tokens[parts[n]?.from ?? -1]) === 'VERSION';
    const cuts = cutsOf(sql, parts).filter((_, n) => !isVersion(n));
    return cuts.map(cut => ({ operator: 'write gone', ...cut, replacement: '' }));
  });
}

function* signChanges(sql: Sql, text: string, { at, decides }: { at: number; decides: boolean }): Iterable<Change> {
  const { tokens } = sql;
  const sign = tokens[at]?.text ?? '';
  const { start = 0, end = 0 } = tokens[at] ?? {};
  const operator = 'comparison turned';
  const next = tokens[at + 1];
  const isOfTimes = isOfClock(sql, text, at);
  if (decides && (isOfTimes || /^(?:=|<>)$/.test(sign))) return;
  if (wordOf(next) === 'ANY' && next) yield { operator, start, end: next.end, replacement: '<> ALL' };
  else yield { operator, start, end, replacement: (isOfTimes && TURNED_ROUND[sign]) || TURNED[sign] || sign };
}

/** Tells whether a clock is on either side of a comparison. */
function isOfClock({ tokens }: Sql, text: string, at: number): boolean {
  const ends = (word: string) => /^(?:AND|OR|WHERE|ON|WHEN|THEN|SELECT|,|;|FROM|CASE|ORDER)$/.test(word);
  let [from, to] = [at, at];
  while (from > 0 && !ends(wordOf(tokens[from - 1]))) from--;
  while (to + 1 < tokens.length && !ends(wordOf(tokens[to + 1]))) to++;
  return OF_CLOCK.test(text.slice(tokens[from]?.start, tokens[to]?.end));
}

function existsChange({ tokens }: Sql, at: number): Change {
  const { start = 0, end = 0 } = tokens[at] ?? {};
  const before = tokens[at - 1];
  const operator = 'comparison turned';
  if (before && wordOf(before) === 'NOT') return { operator, start: before.start, end, replacement: 'EXISTS' };
  return { operator, start, end, replacement: 'NOT EXISTS' };
}

/** Takes one constant out of a list, as of `IN ('paid', 'late')`. A row of constants is one, too. */
function listChanges(sql: Sql, open: number): Change[] {
  const items = splitSpan(sql, { from: open + 1, to: sql.partners.get(open) ?? open + 1 }, ',');
  const isConstant = ({ from, to }: Span) =>
    sql.tokens.slice(from, to).every(({ kind }) => kind !== 'word' && kind !== 'hole');
  if (!items.every(isConstant)) return [];
  return cutsOf(sql, items).map(cut => ({ operator: 'constant gone', ...cut, replacement: '' }));
}

import type { Change } from '../change.js';
import { indexOutside, rangeOf, type Sql, splitSpan, wordOf } from './tree.js';

/** Changes the clauses that are no conditions: locks, conflicts, limits, joins, orders, and what a migration makes unique. */
export function* clauseChanges(sql: Sql): Iterable<Change> {
  for (const at of sql.tokens.keys()) {
    yield* lockChanges(sql, at);
    yield* advisoryLockChanges(sql, at);
    yield* conflictChanges(sql, at);
    yield* limitChanges(sql, at);
    yield* orderChanges(sql, at);
    yield* schemaChanges(sql, at);
  }
}

function* lockChanges(sql: Sql, at: number): Iterable<Change> {
  const { tokens } = sql;
  const [word, strength] = tokens.slice(at, at + 2).map(wordOf);
  if (word !== 'FOR' || !['UPDATE', 'SHARE'].includes(strength ?? '')) return;
  let to = at + 2;
  if (wordOf(tokens[to]) === 'OF') to += 2;
  const skips = wordOf(tokens[to]) === 'SKIP';
  if (skips) yield { operator: 'lock waits', ...rangeOf(sql, { from: to, to: to + 2 }), replacement: '' };
  yield { operator: 'lock gone', ...rangeOf(sql, { from: at, to: skips ? to + 2 : to }), replacement: '' };
}

/** Takes an advisory lock: the statement still reads its parameter, and says that it has the lock. */
function* advisoryLockChanges(sql: Sql, at: number): Iterable<Change> {
  const { tokens, partners } = sql;
  const close = partners.get(at + 1);
  if (!/^PG_.*ADVISORY/.test(wordOf(tokens[at])) || close === undefined) return;
  const argument = tokens
    .slice(at + 2, close)
    .map(({ text }) => text)
    .join('');
  const replacement = `((${argument})::bigint IS NOT NULL)`;
  yield { operator: 'lock gone', ...rangeOf(sql, { from: at, to: close + 1 }), replacement };
}

function* conflictChanges(sql: Sql, at: number): Iterable<Change> {
  if (wordOf(sql.tokens[at]) !== 'ON' || wordOf(sql.tokens[at + 1]) !== 'CONFLICT') return;
  const to = indexOutside(sql, at + 2, word => /^(?:RETURNING|;)$/.test(word));
  yield { operator: 'conflict clause gone', ...rangeOf(sql, { from: at, to }), replacement: '' };
}

function* limitChanges(sql: Sql, at: number): Iterable<Change> {
  const limit = sql.tokens[at + 1];
  if (wordOf(sql.tokens[at]) !== 'LIMIT' || !limit) return;
  const { start, end, text } = limit;
  const operator = 'limit off by one';
  // A statement that reads one row passes over a second one.
  if (limit.kind === 'number' && text !== '1') yield { operator, start, end, replacement: String(Number(text) + 1) };
  if (limit.kind !== 'hole') return;
  yield { operator, start, end, replacement: `${text} + 1` };
  yield { operator, start, end, replacement: `${text} - 1` };
}

function* orderChanges(sql: Sql, at: number): Iterable<Change> {
  const { tokens } = sql;
  if (wordOf(tokens[at]) !== 'ORDER' || wordOf(tokens[at + 1]) !== 'BY') return;
  const to = indexOutside(sql, at + 2, word => /^(?:LIMIT|OFFSET|FOR|ON|RETURNING|\$\$|;)$/.test(word));
  for (const part of splitSpan(sql, { from: at + 2, to }, ',')) {
    const { end } = rangeOf(sql, part);
    const last = tokens[part.to - 1];
    const operator = 'order turned';
    if (last && wordOf(last) === 'DESC') yield { operator, start: last.start, end, replacement: '' };
    else yield { operator, start: end, end, replacement: ' DESC' };
  }
}

function* schemaChanges(sql: Sql, at: number): Iterable<Change> {
  const { tokens } = sql;
  const [first, second, third] = tokens.slice(at, at + 3).map(wordOf);
  if (first === 'LEFT' && second === 'JOIN') {
    yield { operator: 'outer join gone', ...rangeOf(sql, { from: at, to: at + 1 }), replacement: '' };
  }
  if (first !== 'CREATE') return;
  if (second === 'UNIQUE' && third === 'INDEX') {
    yield { operator: 'uniqueness gone', ...rangeOf(sql, { from: at + 1, to: at + 2 }), replacement: '' };
  }
  if (second !== 'TRIGGER') return;
  const to = indexOutside(sql, at, word => word === ';');
  yield { operator: 'trigger gone', ...rangeOf(sql, { from: at, to: to + 1 }), replacement: '' };
}

import type { Change } from '../change.js';
import { rangeOf, type Span, type Sql, splitSpan, wordOf } from './tree.js';

/** Changes what is computed: signs, `greatest` and `least`, and the values of `coalesce`. */
export function* expressionChanges(sql: Sql, text: string): Iterable<Change> {
  for (const [at, token] of sql.tokens.entries()) {
    const { start, end } = token;
    const word = wordOf(token);
    if (word === '+' || word === '-') yield* signChange(sql, at);
    const turned = { GREATEST: 'least', LEAST: 'greatest' }[word];
    if (turned) yield { operator: 'limit turned', start, end, replacement: turned };
    if (word === 'COALESCE') yield* defaultChanges(sql, text, at);
  }
}

/** The words and signs before a sign that belongs to one number alone. */
const BEFORE_UNARY = /^(?:\(|,|[-+*/=<>]|<>|<=|>=|THEN|ELSE|SELECT|WHEN|AND|OR|RETURN)$/;

function signChange(sql: Sql, at: number): Change[] {
  const { start = 0, end = 0, text = '' } = sql.tokens[at] ?? {};
  // A difference of two times has no sum.
  if (isExtracted(sql, at)) return [];
  const isUnary = at === 0 || BEFORE_UNARY.test(wordOf(sql.tokens[at - 1]));
  return [{ operator: 'sign turned', start, end, replacement: isUnary ? '' : text === '+' ? '-' : '+' }];
}

/** Tells whether a sign belongs to what `extract(epoch FROM …)` reads. */
function isExtracted({ tokens, partners }: Sql, at: number): boolean {
  return [...partners].some(([from, to]) => wordOf(tokens[from - 1]) === 'EXTRACT' && from < at && at < to);
}

/** Leaves one value of `coalesce`. A constant is not left alone: any test notices that. */
function defaultChanges(sql: Sql, text: string, at: number): Change[] {
  const close = sql.partners.get(at + 1) ?? at + 1;
  const values = splitSpan(sql, { from: at + 2, to: close }, ',');
  const isName = ({ from, to }: Span) =>
    sql.tokens.slice(from, to).some(({ kind }) => kind === 'word' || kind === 'hole');
  const whole = rangeOf(sql, { from: at, to: close + 1 });
  return values.filter(isName).map(value => {
    const { start, end } = rangeOf(sql, value);
    return { operator: 'default gone', ...whole, replacement: text.slice(start, end) };
  });
}

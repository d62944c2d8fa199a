import { type Kinds, readTokens, type Token } from '../tokens.js';
import type { SqlPiece } from './pieces.js';

const NAME = '(?:"[^"]*"|[A-Za-z_]\\w*)';

const KINDS: Kinds = {
  skip: /\s+|--[^\n]*/y,
  string: /'(?:[^']|'')*'/y,
  word: new RegExp(`${NAME}(?:\\.(?:${NAME}|\\*))*`, 'y'),
  number: /\d+(?:\.\d+)?|\$\d+/y,
  symbol: /<>|<=|>=|!=|->>|->|::|:=|=>|\|\||\$\$|[-+*/%^<>=~(),;[\].:@?#&|!]/y,
};

/**
 * The tokens of a piece of SQL. `partners` has the closing token for each `(`, `[` and CASE, and the opening one for each
 * closing one.
 */
export interface Sql {
  tokens: Token[];
  partners: Map<number, number>;
}

/** Reads the tokens of a piece of SQL. A placeholder is one token. */
export function readSql(text: string, { start, end, holes }: SqlPiece): Sql {
  const tokens: Token[] = [];
  let from = start;
  for (const hole of holes) {
    tokens.push(...readTokens(text, KINDS, { start: from, end: hole.start }));
    tokens.push({ kind: 'hole', text: text.slice(hole.start, hole.end), ...hole });
    from = hole.end;
  }
  tokens.push(...readTokens(text, KINDS, { start: from, end }));
  const noticed = withoutIndexes(tokens);
  return { tokens: noticed, partners: partnersOf(noticed) };
}

/** Leaves the statements out that make an index which is not unique: it changes no result. */
function withoutIndexes(tokens: Token[]): Token[] {
  let isIndex = false;
  return tokens.filter((token, at) => {
    if (wordOf(token) === 'CREATE') isIndex = wordOf(tokens[at + 1]) === 'INDEX';
    const isLeftOut = isIndex;
    if (token.text === ';') isIndex = false;
    return !isLeftOut;
  });
}

const CLOSES: Record<string, string> = { '(': ')', '[': ']', CASE: 'END' };

function partnersOf(tokens: Token[]): Map<number, number> {
  const partners = new Map<number, number>();
  const open: number[] = [];
  for (const [at, token] of tokens.entries()) {
    const word = wordOf(token);
    const last = open.at(-1);
    if (CLOSES[word]) open.push(at);
    else if (last !== undefined && word === CLOSES[wordOf(tokens[last])]) {
      open.pop();
      partners.set(last, at).set(at, last);
    }
  }
  return partners;
}

/** Returns a token as a keyword, in upper case; the empty text for texts, placeholders and the end. */
export function wordOf(token: Token | undefined): string {
  return token && !['string', 'hole'].includes(token.kind) ? token.text.toUpperCase() : '';
}

/** Tokens of a piece of SQL, from `from` to before `to`. */
export interface Span {
  from: number;
  to: number;
}

/** Returns the first token from `from` on, outside of parentheses begun there, that fits or closes what is around it. */
export function indexOutside(sql: Sql, from: number, fits: (word: string, at: number) => boolean): number {
  for (let at = from; at < sql.tokens.length; at++) {
    if (fits(wordOf(sql.tokens[at]), at)) return at;
    const partner = sql.partners.get(at);
    if (partner !== undefined && partner < at) return at;
    if (partner !== undefined) at = partner;
  }
  return sql.tokens.length;
}

/** Splits a span at a word or sign outside of parentheses. The AND of BETWEEN splits nothing. */
export function splitSpan(sql: Sql, { from, to }: Span, separator: string): Span[] {
  const spans: Span[] = [];
  let start = from;
  let isBetween = false;
  for (let at = from; at < to; at++) {
    const word = wordOf(sql.tokens[at]);
    if (word === 'BETWEEN') isBetween = true;
    else if (word === 'AND' && isBetween) isBetween = false;
    else if (word === separator) {
      spans.push({ from: start, to: at });
      start = at + 1;
    }
    const partner = sql.partners.get(at);
    if (partner !== undefined && partner > at) at = partner;
  }
  return [...spans, { from: start, to }];
}

/** Returns the offsets in the text of a span that has tokens. */
export function rangeOf({ tokens }: Sql, { from, to }: Span): { start: number; end: number } {
  return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? 0 };
}

/** Returns, for each of several spans, the piece to cut out with the word or sign that joins it to its neighbour. */
export function cutsOf(sql: Sql, spans: Span[]): { start: number; end: number }[] {
  if (spans.length < 2) return [];
  return spans.map((span, n) => {
    const [before, after] = [spans[n - 1], spans[n + 1]];
    const { start, end } = rangeOf(sql, span);
    if (before) return { start: rangeOf(sql, before).end, end };
    return { start, end: after ? rangeOf(sql, after).start : end };
  });
}

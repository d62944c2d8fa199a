/** A word of a source text, with its offsets. */
export interface Token {
  kind: string;
  text: string;
  start: number;
  end: number;
}

/**
 * The kinds of tokens of a language, each with a sticky pattern. The first kind that fits wins. Tokens of the kind `skip`
 * are left out: white space and comments.
 */
export type Kinds = Record<string, RegExp>;

/** The part of a text from `start` to `end`. */
export interface Range {
  start: number;
  end: number;
}

/**
 * Splits a part of a text into its tokens. The offsets of the tokens count from the beginning of the text.
 *
 * @throws when the text has something that is no token of the language
 */
export function readTokens(text: string, kinds: Kinds, range: Range = { start: 0, end: text.length }): Token[] {
  const tokens: Token[] = [];
  const readable = text.slice(0, range.end);
  for (let start = range.start; start < range.end; ) {
    const token = tokenAt(readable, kinds, start);
    if (!token) throw new Error(`no token at ${start}: ${readable.slice(start, start + 20)}`);
    if (token.kind !== 'skip') tokens.push(token);
    start = token.end;
  }
  return tokens;
}

function tokenAt(text: string, kinds: Kinds, start: number): Token | undefined {
  for (const [kind, pattern] of Object.entries(kinds)) {
    pattern.lastIndex = start;
    const found = pattern.exec(text)?.[0];
    if (found) return { kind, text: found, start, end: start + found.length };
  }
  return undefined;
}

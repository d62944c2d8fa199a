import { type Kinds, type Range, readTokens, type Token } from '../tokens.js';

/** A directive of nginx. `inner` holds those in its block, if it has one. An entry of a `map` is a directive, too. */
export interface Directive extends Range {
  name: string;
  args: Token[];
  inner?: Directive[];
}

const KINDS: Kinds = {
  skip: /\s+|#[^\n]*/y,
  text: /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y,
  sign: /[{};]/y,
  word: /[^\s;{}'"#][^\s;{}]*/y,
};

/**
 * Reads the directives of a file of nginx.
 *
 * @throws when a block or a directive has no end
 */
export function readDirectives(text: string): Directive[] {
  const tokens = readTokens(text, KINDS);
  const directives = readBlock(tokens);
  if (tokens.length > 0) throw new Error(`unread: ${tokens[0]?.text}`);
  return directives;
}

/** Reads the directives up to a `}`, and takes their tokens off the list. */
function readBlock(tokens: Token[]): Directive[] {
  const directives: Directive[] = [];
  while (tokens.length > 0 && tokens[0]?.text !== '}') directives.push(readDirective(tokens));
  return directives;
}

function readDirective(tokens: Token[]): Directive {
  const words = tokens.splice(
    0,
    tokens.findIndex(({ kind }) => kind === 'sign'),
  );
  const [name, ...args] = words;
  const sign = tokens.shift();
  if (!name || !sign) throw new Error('a directive has no end');
  const directive = { name: name.text, args, start: name.start, end: sign.end };
  if (sign.text === ';') return directive;
  const inner = readBlock(tokens);
  const end = tokens.shift()?.end;
  if (end === undefined) throw new Error(`the block of ${name.text} has no end`);
  return { ...directive, inner, end };
}

import type { Range } from '../tokens.js';

/** A piece of SQL in a file: a whole file, a template or a text. `holes` are its placeholders, from `${` to `}`. */
export interface SqlPiece extends Range {
  holes: Range[];
}

/** The beginning of a template of SQL. */
const TEMPLATE = /(?:Prisma\.sql|\$(?:queryRaw|executeRaw)(?:<[^`;]*?>)?)`/g;

/** The beginning of a statement in an ordinary text. */
const TEXT = /(?<![\w}])(['`])(?=\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE) )/g;

/** Finds the SQL of a migration, or the templates and texts of a TypeScript file. */
export function readSqlPieces(file: string, text: string): SqlPiece[] {
  if (file.endsWith('.sql')) return [{ start: 0, end: text.length, holes: [] }];
  const templates = [...text.matchAll(TEMPLATE)].map(({ 0: tag, index }) => pieceAt(text, index + tag.length));
  const texts = [...text.matchAll(TEXT)].map(({ 1: quote, index }) => pieceAt(text, index + 1, quote));
  return [...templates, ...texts].sort((a, b) => a.start - b.start);
}

function pieceAt(text: string, start: number, quote = '`'): SqlPiece {
  const holes: Range[] = [];
  let at = start;
  for (; at < text.length && text[at] !== quote; at++) {
    if (text[at] === '\\') at++;
    if (quote !== '`' || !text.startsWith('${', at)) continue;
    const hole = { start: at, end: endOfHole(text, at + 2) };
    holes.push(hole);
    at = hole.end - 1;
  }
  return { start, end: at, holes };
}

/** Returns the offset after the `}` of a placeholder. It may have templates and texts of its own. */
function endOfHole(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign === '{') depth++;
    if (sign === '}' && --depth === 0) return at + 1;
    if ('\'"`'.includes(sign)) at = pieceAt(text, at + 1, sign).end;
  }
  throw new Error(`the placeholder at ${start} has no end`);
}

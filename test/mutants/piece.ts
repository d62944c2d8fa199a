import type { Mark } from './marks/mark.js';
import type { Mutant } from './mutant.js';

/** A mutant in words: what a person looks for, and what stays when other lines of the file change. */
export interface Piece {
  file: string;
  lineNumber: number;
  /** The first line of text that the mutant changes, without its indentation. */
  line: string;
  operator: string;
  original: string;
  replacement: string;
}

/** Describes a mutant of a text. */
export function pieceOf({ file, operator, start, end, replacement }: Mutant, text: string): Piece {
  const before = text.slice(0, start).split('\n');
  const lineNumber = before.length;
  const line = text.split('\n')[lineNumber - 1]?.trim() ?? '';
  return { file, lineNumber, line, operator, original: text.slice(start, end), replacement };
}

/** Tells whether a mark means a mutant. */
export function isMarked(piece: Piece, mark: Mark): boolean {
  return (['file', 'line', 'operator', 'original', 'replacement'] as const).every(key => piece[key] === mark[key]);
}

/** Returns a piece as one line. */
export function formatPiece({ file, lineNumber, operator, original, replacement }: Piece): string {
  const short = (text: string) => {
    const line = text.replace(/\s+/g, ' ').trim();
    return line.length > 80 ? `${line.slice(0, 77)}...` : line;
  };
  return `${file}:${lineNumber} ${operator}: ${short(original)} -> ${short(replacement) || '(nothing)'}`;
}

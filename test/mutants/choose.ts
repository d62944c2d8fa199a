import { createHash } from 'node:crypto';
import type { Mutant, Operators } from './mutant.js';
import { luaMutants } from './operators/lua.js';
import { nginxMutants } from './operators/nginx.js';
import { sqlMutants } from './operators/sql.js';
import { typescriptMutants } from './operators/typescript.js';
import { type Piece, pieceOf } from './piece.js';
import { TARGETS, type Target, targetOf } from './targets.js';

/** A full run takes this many mutants of the rest. With 600, the 95 % interval is 5 points wide at 90 %. */
const REST_SAMPLE = 640;

/** A mutant of a run. */
export interface Candidate {
  mutant: Mutant;
  piece: Piece;
  target: Target;
}

/** The operators of each kind of file. SQL is in TypeScript, too. */
const OPERATORS: readonly { files: RegExp; make: Operators | AsyncOperators }[] = [
  { files: /\.(ts|js)$/, make: typescriptMutants },
  { files: /^core\/postgres\/.*\.ts$|\.sql$/, make: sqlMutants },
  { files: /\.lua$/, make: luaMutants },
  { files: /\.conf$/, make: nginxMutants },
];

type AsyncOperators = (file: string, text: string) => Promise<Mutant[]>;

/** Makes all mutants of some files, by their paths and texts. */
export async function createMutants(texts: ReadonlyMap<string, string>): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const [file, text] of texts) {
    const target = targetOf(file);
    if (!target) continue;
    for (const { make } of OPERATORS.filter(({ files }) => files.test(file))) {
      for (const mutant of await make(file, text)) candidates.push({ mutant, piece: pieceOf(mutant, text), target });
    }
  }
  return candidates;
}

/** Returns a number from 0 to 1 that a seed and a mutant always give, also when other mutants come or go. */
function rank({ piece }: Candidate, seed: string): number {
  const { file, line, operator, original, replacement } = piece;
  const hash = createHash('sha256').update([seed, file, line, operator, original, replacement].join('\0'));
  return hash.digest().readUInt32BE(0) / 2 ** 32;
}

/** Takes a sample in which each part has its share. */
export function sampleOf(candidates: readonly Candidate[], size: number, seed: string): Candidate[] {
  if (candidates.length <= size) return [...candidates];
  const parts = TARGETS.map(target => candidates.filter(one => one.target === target)).filter(part => part.length > 0);
  const shares = parts.map(part => (size * part.length) / candidates.length);
  const counts = shares.map(Math.floor);
  // The mutants that rounding leaves go to the parts with the largest remainders.
  const byRemainder = shares.map((share, index) => ({ index, left: share % 1 })).toSorted((a, b) => b.left - a.left);
  const missing = size - counts.reduce((sum, count) => sum + count, 0);
  for (const { index } of byRemainder.slice(0, missing)) counts[index] = (counts[index] ?? 0) + 1;
  return parts.flatMap((part, index) => {
    const ranked = part.map(one => ({ one, at: rank(one, seed) })).toSorted((a, b) => a.at - b.at);
    return ranked.slice(0, counts[index]).map(({ one }) => one);
  });
}

/** Takes what a run without options takes: money and scripts in full, and a sample of the rest. */
export function fullRunOf(candidates: readonly Candidate[], seed: string): Candidate[] {
  const inFull = candidates.filter(({ target }) => target.area === 'money and scripts');
  const rest = candidates.filter(({ target }) => target.area === 'the rest');
  return [...inFull, ...sampleOf(rest, REST_SAMPLE, seed)];
}

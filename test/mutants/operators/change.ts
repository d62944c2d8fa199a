import type { Mutant } from '../mutant.js';

/** A mutant without its file. */
export type Change = Omit<Mutant, 'file'>;

/** Makes the mutants of a file from changes of its text. A change that has the same result as an earlier one is left out. */
export function mutantsOf(file: string, text: string, changes: Iterable<Change>): Mutant[] {
  const results = new Map<string, Mutant>();
  for (const change of changes) {
    const result = text.slice(0, change.start) + change.replacement + text.slice(change.end);
    if (result !== text && !results.has(result)) results.set(result, { file, ...change });
  }
  return [...results.values()];
}

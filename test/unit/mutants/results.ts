import { join } from 'node:path';
import type { Mutant, Operators } from '../../mutants/mutant.js';
import { below, readCheckout, type Source } from '../house/rules/checkout.js';

/** Returns the text of a mutant. */
export function mutated(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Returns the texts that operators make of a text, without needless spaces. */
export function resultsOf(operators: Operators, { path, text }: Source, operator?: string): string[] {
  const mutants = operators(path, text).filter(mutant => operator === undefined || mutant.operator === operator);
  return mutants.map(mutant => mutated(text, mutant).replace(/ +/g, ' ').trim());
}

/** Returns the project's files below a folder whose names have an ending. */
export function sourcesOf(folder: string, ending: RegExp): Source[] {
  const checkout = readCheckout(join(import.meta.dirname, '../../..'));
  return below(checkout, [folder]).filter(({ path }) => ending.test(path));
}

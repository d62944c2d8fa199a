import type { Mutant } from '../mutant.js';
import type { TestRun } from './jest-process.js';

/** Redis, Postgres and nginx say this of a text that they can't parse: no bug that a developer could make. */
const INVALID = [
  /Error compiling script/,
  /user_script:\d+: (unexpected symbol|'[^']*' expected|unfinished)/,
  /syntax error at or near/,
  /code: .42601/,
  /\[emerg\]/,
];

/** A store that is late on a busy machine fails a test without any bug. */
const LATE = [
  /ECONNREFUSED/,
  /ECONNRESET/,
  /Connection is closed/,
  /Command timed out/,
  /Exceeded timeout of/,
  /did not start/,
];

/**
 * Tells whether a failure says that the changed text is no text of its language. TypeScript was parsed before; what it then sends to
 * a store is its behaviour.
 */
export function isInvalid({ failure }: TestRun, { operator }: Mutant): boolean {
  return !isOfTypeScript(operator) && INVALID.some(pattern => pattern.test(failure?.message ?? ''));
}

/** Stryker names its operators as classes; ours have words. */
const isOfTypeScript = (operator: string): boolean => /^[A-Z]/.test(operator);

/** Tells whether a failure may come from a busy machine. */
export const isLate = ({ failure }: TestRun): boolean => LATE.some(pattern => pattern.test(failure?.message ?? ''));

// Jest colours its messages.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Returns the title of the test that failed, and the first line of its message. */
export function saidBy({ failure }: TestRun): string {
  const line = (failure?.message ?? '').replace(COLOUR, '').split('\n')[0] ?? '';
  return [failure?.title ?? '', line]
    .filter(part => part !== '')
    .join(': ')
    .slice(0, 300);
}

import type { Answer } from '../storefront.js';
import { solve } from './solve.js';

/** The codes of clicks that another pass cures. */
const REFUSED = new Set<string | undefined>(['pass_required', 'bad_pass', 'pass_expired']);

/** Returns whether a click needs another pass. */
export const needsAnotherPass = ({ code }: Answer): boolean => REFUSED.has(code);

/**
 * Asks for a pass, and does the work that it costs.
 *
 * @param ask makes the call, with the solution if there is one
 * @returns the last answer: with the pass, or with the code of a problem
 */
export async function requestPass(ask: (solution?: string) => Promise<Answer>): Promise<Answer> {
  const answer = await ask();
  return answer.challenge ? ask(await solve(answer.challenge)) : answer;
}

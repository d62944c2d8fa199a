import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';

export type { Challenge } from 'altcha-lib';

/** Solves a challenge in this process, as a script would, and returns the solution as the API expects it. */
export async function solve(challenge: Challenge): Promise<string> {
  // The API bounds the work, so no time-out is needed.
  const found = await solveChallenge({ challenge, deriveKey, timeout: 0 });
  if (!found) throw new Error('a challenge without a solution');
  const { counter, derivedKey } = found;
  return Buffer.from(JSON.stringify({ challenge, solution: { counter, derivedKey } })).toString('base64');
}

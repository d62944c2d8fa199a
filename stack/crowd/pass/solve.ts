import { availableParallelism } from 'node:os';
import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import pLimit from 'p-limit';

/** More at once would all end late, and challenges end after 5 minutes. */
const atATime = pLimit(availableParallelism());

/**
 * Solves a challenge of the API, as the page of a buyer does. The CPU time is that of this machine: a crowd of thousands
 * has to do the work of thousands of phones.
 *
 * @returns ALTCHA's payload
 */
export function solve(challenge: object): Promise<string> {
  return atATime(async () => {
    const solution = await solveChallenge({ challenge: challenge as Challenge, deriveKey });
    return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
  });
}

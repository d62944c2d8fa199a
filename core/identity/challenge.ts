import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomInt } from 'node:crypto';
import { type Challenge, createChallenge, type Payload, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { z } from 'zod';
import { MINUTE_MS } from '../rules/clock.js';

/** The key that signs challenges, of which the keys for one buyer in one sale are made. */
export type ChallengeKey = KeyObject;

/** The buyer who has to solve a challenge, and the sale. */
export interface Solver {
  saleId: string;
  buyerId: string;
}

/**
 * The proof of work is ALTCHA's, version 2: the solver derives keys from the numbers 0, 1, 2 ... until one has the
 * prefix of the challenge. PBKDF2 is native in browsers and in Node, so a script gains little over a page.
 */
const ALGORITHM = 'PBKDF2/SHA-256';

/**
 * The rounds of one try. One derivation takes about 0.3 ms, which dominates what the browser adds to it. The server makes
 * one for each challenge.
 */
const ROUNDS = 1_000;

/**
 * How long a challenge can be solved. It is longer than the slowest phone needs for the hardest one. A solution is worth
 * nothing to anybody but its buyer in its sale, so that it may be shown again until then.
 */
const LIFE_MS = 5 * MINUTE_MS;

const KEY_BYTES = 32;

/** Derives the key that signs challenges from the shared secret (HKDF, RFC 5869). The key can sign nothing else. */
export function challengeKey(secret: string): ChallengeKey {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'dropline challenge', KEY_BYTES)));
}

/**
 * Creates a challenge for one buyer in one sale. Nothing stores it.
 *
 * @param tries the most tries that a solver needs; half of them on average
 */
export function issueChallenge(key: ChallengeKey, solver: Solver, tries: number): Promise<Challenge> {
  return createChallenge({
    algorithm: ALGORITHM,
    cost: ROUNDS,
    // With a number of our choice the work has an end, and the signature of the key verifies it without a derivation.
    counter: randomInt(tries),
    data: { tries },
    deriveKey,
    // A number would be taken as seconds.
    expiresAt: new Date(Date.now() + LIFE_MS),
    ...secretsOf(key, solver),
  });
}

const TEXT_MAX = 256;
const shortText = z.string().max(TEXT_MAX);

/** A solution in ALTCHA's form. Unknown parameters stay, as the signature covers all of them. */
const Solved = z.object({
  challenge: z.object({
    parameters: z.looseObject({
      algorithm: z.literal(ALGORITHM),
      cost: z.int().min(ROUNDS),
      nonce: shortText,
      salt: shortText,
      keyLength: z.int(),
      keyPrefix: shortText,
      keySignature: shortText,
      expiresAt: z.int(),
      data: z.object({ tries: z.int() }),
    }),
    signature: shortText,
  }),
  solution: z.object({ counter: z.int(), derivedKey: shortText }),
});

/**
 * Verifies a solution that a buyer sends.
 *
 * @param keys the keys of which one has signed the challenge: one, or two while the shared secret is rotated
 * @param text ALTCHA's payload: challenge and solution as JSON in base64
 * @param leastTries the least tries that the challenge must have asked for
 * @returns false for a solution that is malformed, wrong, late, too cheap, or of another buyer or sale
 */
export async function isSolved(
  keys: readonly ChallengeKey[],
  text: string,
  { leastTries, ...solver }: Solver & { leastTries: number },
): Promise<boolean> {
  const payload = payloadIn(text);
  if (!payload || Number(payload.challenge.parameters.data?.tries) < leastTries) return false;
  for (const key of keys) {
    const { verified } = await verifySolution({ ...payload, deriveKey, ...secretsOf(key, solver) });
    if (verified) return true;
  }
  return false;
}

function payloadIn(text: string): Payload | undefined {
  try {
    return Solved.parse(JSON.parse(Buffer.from(text, 'base64').toString()));
  } catch {
    return undefined;
  }
}

/**
 * Returns the secrets that sign a challenge of one buyer in one sale, so that it is of no use to another. Ids of sales
 * and buyers contain no dot, so two pairs never have the same secrets.
 */
function secretsOf(key: ChallengeKey, { saleId, buyerId }: Solver) {
  const secretFor = (use: string) => createHmac('sha256', key).update(`${use}.${saleId}.${buyerId}`).digest('hex');
  return { hmacSignatureSecret: secretFor('challenge'), hmacKeySignatureSecret: secretFor('key') };
}

import { createHmac, randomInt } from 'node:crypto';
import { type Challenge, createChallenge, type Payload, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { MINUTE_MS } from '../rules/clock.js';

/** The keys of a challenge are derived in this way: the browser's own WebCrypto computes it as fast as a script. */
const ALGORITHM = 'PBKDF2/SHA-256';

/** The iterations of one derivation, about 0.25 ms of a fast processor. Much fewer would leave the browser only overhead. */
const ITERATIONS = 1_000;

/** The time in which a challenge must be solved, in ms. */
export const CHALLENGE_LIFE_MS = 5 * MINUTE_MS;

/** The form of a solution: the JSON of ALTCHA in base64. */
const BASE64 = /^[A-Za-z0-9+/]{1,1000}={0,2}$/;

/** The buyer and the sale for whom work is done. */
export interface Worker {
  saleId: string;
  buyerId: string;
}

/**
 * The proof of work that a pass may cost, by ALTCHA's protocol. A client derives keys with the counters 0, 1, 2 … until
 * one begins as the challenge says. Nothing is stored: the challenge is signed with secrets of its buyer and sale, and a
 * solution is worth one more pass for that buyer, however often it is sent.
 */
export class PassWork {
  readonly #secrets: readonly string[];

  /**
   * Prepares the proof of work.
   *
   * @param secrets AUTH_SECRET, which signs, and the other one that is valid while it is rotated
   */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /**
   * Creates a challenge. It costs this process one derivation.
   *
   * @param work the mean number of derivations to its solution. The counter is chosen evenly below twice as many, so that
   *   bad luck has a bound
   */
  async challenge(worker: Worker, work: number): Promise<Challenge> {
    const [secret = ''] = this.#secrets;
    return createChallenge({
      algorithm: ALGORITHM,
      cost: ITERATIONS,
      counter: randomInt(2 * work),
      deriveKey,
      // The library takes a number for seconds.
      expiresAt: new Date(Date.now() + CHALLENGE_LIFE_MS),
      ...signingSecrets(secret, worker),
    });
  }

  /**
   * Tells whether a solution solves a challenge of this buyer and sale in time. It costs two HMACs per secret, and no
   * derivation.
   */
  async isSolved(worker: Worker, text: string): Promise<boolean> {
    const payload = payloadIn(text);
    if (!payload) return false;
    for (const secret of this.#secrets) {
      const { verified } = await verifySolution({ ...payload, deriveKey, ...signingSecrets(secret, worker) });
      if (verified) return true;
    }
    return false;
  }
}

/** Returns the secrets that sign a challenge and the key of its solution. They differ for each buyer and sale. */
function signingSecrets(secret: string, { saleId, buyerId }: Worker) {
  const of = (what: string) =>
    createHmac('sha256', secret).update(`pass-work.${what}.${saleId}.${buyerId}`).digest('hex');
  return { hmacSignatureSecret: of('challenge'), hmacKeySignatureSecret: of('key') };
}

/** Parses a solution as far as the library relies on its form. */
function payloadIn(text: string): Payload | undefined {
  if (!BASE64.test(text)) return undefined;
  try {
    const { challenge, solution } = JSON.parse(Buffer.from(text, 'base64').toString());
    const { parameters, signature } = challenge;
    if (typeof parameters !== 'object' || parameters === null || typeof signature !== 'string') return undefined;
    return { challenge: { parameters, signature }, solution };
  } catch {
    return undefined;
  }
}

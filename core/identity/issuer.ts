import { issuerFailed, issuerRead } from '../process/telemetry.js';
import { MINUTE_MS, SECOND_MS } from '../rules/clock.js';
import { Problem } from '../rules/errors.js';
import { ISSUER_ALGORITHMS, type IssuerKey, readIssuerKeys } from './issuer-keys.js';
import { createIssuerTokenVerifier, type IssuerRules, readTokenHeader, type TokenVerifier } from './token.js';
import type { TokenVerdict } from './token-refusal.js';

/** The issuer of the shop's tokens: the address of its public keys, and the rules for its tokens. */
export interface IssuerEndpoint extends IssuerRules {
  url: string;
}

/**
 * How often the issuer's key list is read, in ms. A key that the issuer withdraws is accepted for at most this long. A
 * token with an unknown key triggers an earlier reading.
 */
const READ_EVERY_MS = 5 * MINUTE_MS;

/**
 * Shortest pause between two readings of the issuer's key list, in ms, so that forged tokens cannot flood the issuer. A
 * token whose key is missing from a younger list is invalid.
 */
const PAUSE_MS = 5 * SECOND_MS;

/** How often the issuer's keys are read in production. Tests pass shorter periods. */
const TIMES = { readEveryMs: READ_EVERY_MS, pauseMs: PAUSE_MS };

const ALGORITHMS: readonly unknown[] = ISSUER_ALGORITHMS;
const UNKNOWN_KEY: TokenVerdict = { kind: 'refused', reason: 'unknown_key' };

/**
 * Verifies buyers' tokens with the issuer's public keys, which are read in the background. Verifying a token never
 * waits for the issuer.
 */
export class Issuer {
  readonly #endpoint: IssuerEndpoint;
  readonly #pauseMs: number;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #verifiers: ReadonlyMap<string, TokenVerifier> = new Map();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #isReading = false;

  /**
   * Starts to read the issuer's public keys: now, periodically, and when a token names an unknown key. While the issuer
   * is away, the last keys stay valid.
   *
   * @param endpoint the address of the keys, and the rules for the tokens
   * @param times how often the keys are read, and the shortest pause between two readings, in ms
   */
  constructor(endpoint: IssuerEndpoint, { readEveryMs, pauseMs } = TIMES) {
    this.#endpoint = endpoint;
    this.#pauseMs = pauseMs;
    const lookEveryMs = Math.min(SECOND_MS, pauseMs);
    this.#timer = setInterval(() => {
      if (this.#ageMs() > readEveryMs) void this.#read();
    }, lookEveryMs);
    void this.#read();
  }

  /** Whether the issuer's keys have been read at least once. Before, no token can be verified. */
  get ready(): boolean {
    return this.#verifiers.size > 0;
  }

  /**
   * Verifies a token that the issuer has signed.
   *
   * @returns undefined for a token whose algorithm is not one of an issuer
   * @throws Problem `unavailable` when the token names a key that the issuer may have published since the last reading
   */
  verify(token: string): TokenVerdict | undefined {
    const { alg, kid } = readTokenHeader(token) ?? {};
    if (!ALGORITHMS.includes(alg)) return undefined;
    if (typeof kid !== 'string') return UNKNOWN_KEY;
    const verifier = this.#verifiers.get(kid);
    if (verifier) return verifier(token);
    if (this.#ageMs() < this.#pauseMs) return UNKNOWN_KEY;
    void this.#read();
    throw new Problem('unavailable', { detail: "the issuer's keys are being read", retryAfterSeconds: 1 });
  }

  /** Stops reading the issuer's keys, and aborts a reading in flight. */
  close(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  #ageMs(): number {
    return performance.now() - this.#readAtMs;
  }

  async #read(): Promise<void> {
    const nowMs = performance.now();
    if (this.#isReading || nowMs - this.#triedAtMs < this.#pauseMs) return;
    this.#isReading = true;
    this.#triedAtMs = nowMs;
    try {
      const keys = await readIssuerKeys(this.#endpoint.url, this.#stopped.signal);
      const verifierOf = (key: IssuerKey) => createIssuerTokenVerifier(key, this.#endpoint);
      this.#verifiers = new Map([...keys].map(([name, key]) => [name, verifierOf(key)]));
      this.#readAtMs = nowMs;
      issuerRead(keys.size);
    } catch (error) {
      if (!this.#stopped.signal.aborted) issuerFailed(error);
    } finally {
      this.#isReading = false;
    }
  }
}

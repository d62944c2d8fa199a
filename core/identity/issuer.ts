import { issuerFailed, issuerRead } from '../process/telemetry.js';
import { MINUTE_MS, SECOND_MS } from '../rules/clock.js';
import { Problem } from '../rules/errors.js';
import { ISSUER_ALGORITHMS, type IssuerKey, readIssuerKeys } from './issuer-keys.js';
import { createIssuerTokenVerifier, type IssuerClaims, readTokenHeader } from './token.js';

/** The issuer of the shop's tokens: the address of its keys, and the claims that a token must carry. */
export interface IssuerEndpoint extends IssuerClaims {
  url: string;
}

/**
 * Period between two readings of the key list, in ms. A key that the issuer withdraws stays valid this long at most. A
 * token with an unknown key triggers a reading in between.
 */
const READ_EVERY_MS = 5 * MINUTE_MS;

/**
 * Shortest pause between two readings, in ms, so that forged tokens cannot flood the issuer. A key missing from a list
 * younger than this does not exist.
 */
const PAUSE_MS = 5 * SECOND_MS;

/** The two periods in use. Tests pass shorter ones. */
const TIMES = { readEveryMs: READ_EVERY_MS, pauseMs: PAUSE_MS };

const ALGORITHMS: readonly unknown[] = ISSUER_ALGORITHMS;

/** Verifies tokens with the keys already read. Verifying never waits for the issuer. */
export class Issuer {
  readonly #endpoint: IssuerEndpoint;
  readonly #pauseMs: number;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #verifiers: ReadonlyMap<string, (token: string) => string | undefined> = new Map();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #isReading = false;

  /**
   * Reads the keys now, then periodically, and when a token names an unknown key. While the issuer is away, the last keys
   * stay valid.
   *
   * @param endpoint the address of the keys, and the claims that a token must carry
   * @param times the two periods, in ms
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

  /** Whether the keys have been read at least once. Until then no token can be verified. */
  get ready(): boolean {
    return this.#verifiers.size > 0;
  }

  /**
   * Verifies a token of the issuer.
   *
   * @returns the buyer's id, or undefined for every invalid token
   * @throws Problem `unavailable` when the token names a key that the issuer may have published since the last reading
   */
  verify(token: string): string | undefined {
    const { alg, kid } = readTokenHeader(token) ?? {};
    if (!ALGORITHMS.includes(alg) || typeof kid !== 'string') return undefined;
    const verifier = this.#verifiers.get(kid);
    if (verifier) return verifier(token);
    if (this.#ageMs() < this.#pauseMs) return undefined;
    void this.#read();
    throw new Problem('unavailable', { detail: "the issuer's keys are being read", retryAfterSeconds: 1 });
  }

  /** Stops the periodic reading. */
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

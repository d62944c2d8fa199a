import { issuerFailed, issuerRead } from '../process/telemetry.js';
import { MINUTE_MS, SECOND_MS } from '../rules/clock.js';
import { Problem } from '../rules/errors.js';
import { ISSUER_ALGORITHMS, readIssuerKeys } from './issuer-keys.js';
import { type IssuerClaims, issuerTokenVerifier, readTokenHeader } from './token.js';

/** The issuer of the shop's tokens: the address of its keys, and the claims that a token must carry. */
export interface IssuerEndpoint extends IssuerClaims {
  url: string;
}

/** Verifies tokens with the keys already read. Verifying never waits for the issuer. */
export interface Issuer {
  /**
   * Verifies a token of the issuer.
   *
   * @returns the buyer's id, or undefined for every invalid token
   * @throws Problem `unavailable` when the token names a key that the issuer may have published since the last reading
   */
  verify(token: string): string | undefined;
  /** Whether the keys have been read at least once. Until then no token can be verified. */
  readonly ready: boolean;
  /** Stops the periodic reading. */
  close(): void;
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

/**
 * Reads the keys of an issuer now, then periodically, and when a token names an unknown key. While the issuer is away,
 * the last keys stay valid.
 *
 * @param endpoint the address of the keys, and the claims that a token must carry
 * @param times the two periods, in ms
 */
export function createIssuer(endpoint: IssuerEndpoint, { readEveryMs, pauseMs } = TIMES): Issuer {
  const stopped = new AbortController();
  let verifiers: ReadonlyMap<string, (token: string) => string | undefined> = new Map();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let reading = false;

  const read = async () => {
    const nowMs = performance.now();
    if (reading || nowMs - triedAtMs < pauseMs) return;
    reading = true;
    triedAtMs = nowMs;
    try {
      const keys = await readIssuerKeys(endpoint.url, stopped.signal);
      verifiers = new Map([...keys].map(([name, key]) => [name, issuerTokenVerifier(key, endpoint)]));
      readAtMs = nowMs;
      issuerRead(keys.size);
    } catch (error) {
      if (!stopped.signal.aborted) issuerFailed(error);
    } finally {
      reading = false;
    }
  };
  const age = () => performance.now() - readAtMs;
  const timer = setInterval(
    () => {
      if (age() > readEveryMs) void read();
    },
    Math.min(SECOND_MS, pauseMs),
  );
  void read();

  return {
    get ready() {
      return verifiers.size > 0;
    },
    verify(token) {
      const { alg, kid } = readTokenHeader(token) ?? {};
      if (!ALGORITHMS.includes(alg) || typeof kid !== 'string') return undefined;
      const verifier = verifiers.get(kid);
      if (verifier) return verifier(token);
      if (age() < pauseMs) return undefined;
      void read();
      throw new Problem('unavailable', { detail: "the issuer's keys are being read", retryAfterSeconds: 1 });
    },
    close() {
      clearInterval(timer);
      stopped.abort();
    },
  };
}

import { issuerFailed, issuerRead } from '../process/telemetry.js';
import { MINUTE_MS, SECOND_MS } from '../rules/clock.js';
import { Problem } from '../rules/errors.js';
import { ISSUER_ALGORITHMS, readIssuerKeys } from './issuer-keys.js';
import { type IssuerClaims, issuerTokenVerifier, readTokenHeader } from './token.js';

/** The shop's own issuer of buyers' tokens: where its keys are, and what its tokens must say. */
export interface IssuerEndpoint extends IssuerClaims {
  url: string;
}

/** Verifies tokens with the keys that it has read; it never waits for the issuer. */
export interface Issuer {
  /**
   * @param token a token
   * @returns its buyer's id, or undefined for one that isn't a valid token of the issuer
   * @throws Problem unavailable when it names a key that the issuer may have published since its list was read
   */
  verify(token: string): string | undefined;
  /** Whether its keys have been read: before, no token can be verified. */
  readonly ready: boolean;
  /** Ends the reading. */
  close(): void;
}

/**
 * The list is read again after this time, in ms: then a key that the issuer has withdrawn is no longer good.
 * In between, a token with an unknown key makes us look.
 */
const READ_EVERY_MS = 5 * MINUTE_MS;

/**
 * Between two looks at the issuer lies this time at least, in ms, whatever keys are named: a storm of forged tokens is no storm
 * for the issuer. A key that isn't in a list younger than that doesn't exist.
 */
const PAUSE_MS = 5 * SECOND_MS;

/** When the issuer is looked at; only tests have no patience. */
const TIMES = { readEveryMs: READ_EVERY_MS, pauseMs: PAUSE_MS };

const ALGORITHMS: readonly unknown[] = ISSUER_ALGORITHMS;

/**
 * Reads an issuer's keys now, every few minutes, and when a token names one that isn't known. While the issuer is away, the
 * last ones stay good.
 *
 * @param place where the keys are, and what the tokens must say
 * @param times when it is looked at
 * @returns the issuer
 */
export function createIssuer(place: IssuerEndpoint, { readEveryMs, pauseMs } = TIMES): Issuer {
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
      const keys = await readIssuerKeys(place.url, stopped.signal);
      verifiers = new Map([...keys].map(([name, key]) => [name, issuerTokenVerifier(key, place)]));
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

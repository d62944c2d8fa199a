import { createHmac, randomUUID } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import type { Operator, Operators } from './operators.js';

/** Lifetime of an operator's session in the admin console, in ms: a working day. */
export const SESSION_LIFE_MS = 8 * 60 * 60 * 1_000;

/** The `aud` of an operator's session. A buyer's token lacks it, so it never opens the admin console. */
const AUDIENCE = 'dropline-admin';

/** An operator's login in a browser, until a logout or until its time is over. */
export interface Session {
  /** A UUID, by which a logout revokes the session. */
  readonly id: string;
  readonly operator: Operator;
  readonly endsAt: Date;
}

/**
 * Signs and verifies the sessions of operators. A session ends early when its operator is removed or gets another
 * token. A logout revokes a session in Postgres, of which this class knows nothing.
 */
export class Sessions {
  readonly #key: string;
  readonly #operators: Operators;
  readonly #verify: (text: string) => { sub: string; jti: string; exp: number; token: unknown };

  /**
   * Derives the key of the sessions from the secret, so that no buyer's token is a session.
   *
   * @param secret AUTH_SECRET
   */
  constructor(secret: string, operators: Operators) {
    this.#key = hmac(secret, 'operator-session');
    this.#operators = operators;
    this.#verify = createVerifier({
      key: this.#key,
      algorithms: ['HS256'],
      allowedAud: AUDIENCE,
      requiredClaims: ['sub', 'aud', 'exp', 'jti'],
      cache: false,
    });
  }

  /** Signs a new session of an operator, as the text for its cookie. */
  issue(operator: Operator): string {
    const claims = { sub: operator.name, aud: AUDIENCE, jti: randomUUID(), token: this.#markOf(operator) };
    return createSigner({ key: this.#key, algorithm: 'HS256', expiresIn: SESSION_LIFE_MS })(claims);
  }

  /**
   * Verifies the text of a session's cookie.
   *
   * @returns undefined for a text that is malformed, expired or forged, or whose operator has lost that token
   */
  read(text: string): Session | undefined {
    try {
      const { sub, jti, exp, token } = this.#verify(text);
      const operator = this.#operators.named(sub);
      if (!operator || token !== this.#markOf(operator)) return undefined;
      return { id: jti, operator, endsAt: new Date(exp * 1_000) };
    } catch {
      // A malformed, expired or forged session has the same consequence: no access.
      return undefined;
    }
  }

  /** Returns a text that changes with the operator's token. It is keyed, so the token can't be searched for with it. */
  #markOf({ digest }: Operator): string {
    return hmac(this.#key, digest);
  }
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

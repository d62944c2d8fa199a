import { createSigner, createVerifier } from 'fast-jwt';
import { ID_PATTERN } from '../rules/claim.js';
import type { IssuerKey } from './issuer-keys.js';

/** How long a token for trying things out is good for, in ms. */
export const TOKEN_LIFE_MS = 24 * 60 * 60 * 1_000;

/**
 * Makes the function that tells who a token belongs to. It does no I/O: about 12 µs a token (fast-jwt, HS256, measured).
 *
 * @param secret the shared secret
 * @returns a function from a token to its buyer's id, or undefined for every token that isn't valid now, has no
 *   `exp`, is signed in any other way, or names a buyer that could not be one
 */
export function buyerVerifier(secret: string): (token: string) => string | undefined {
  return buyerOfToken(
    createVerifier({ key: secret, algorithms: ['HS256'], requiredClaims: ['sub', 'exp'], cache: false }),
  );
}

function buyerOfToken(verify: (token: string) => { sub?: unknown }): (token: string) => string | undefined {
  return token => {
    try {
      const { sub } = verify(token);
      return typeof sub === 'string' && ID_PATTERN.test(sub) ? sub : undefined;
    } catch {
      // Whatever is wrong with it, it is no token that we take.
      return undefined;
    }
  };
}

/** What a token of the shop's own issuer must say besides its buyer: an issuer also makes tokens for others than us. */
export interface IssuerClaims {
  issuer: string;
  audience: string;
}

/** Clocks of an issuer and of ours may be so far apart, in ms: a token is often used in the second it is made. */
const CLOCK_TOLERANCE_MS = 5_000;

/**
 * The same for tokens of the shop's own issuer, signed with one of its keys, in the one way that this key is for: a token
 * can't choose. RS256 takes about 5 times as long as HS256, ES256 and EdDSA 10 to 12 times (measured).
 *
 * @param key the public key that the token names
 * @param claims what it must say
 * @returns a function from a token to its buyer's id, or undefined
 */
export function issuerTokenVerifier(
  { pem, algorithm }: IssuerKey,
  { issuer, audience }: IssuerClaims,
): (token: string) => string | undefined {
  return buyerOfToken(
    createVerifier({
      key: pem,
      algorithms: [algorithm],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['sub', 'exp', 'iss', 'aud'],
      clockTolerance: CLOCK_TOLERANCE_MS,
      cache: false,
    }),
  );
}

/**
 * @param token any text
 * @returns what it says about how it is signed, which is not proven yet; undefined when it is no token
 */
export function readTokenHeader(token: string): { alg?: unknown; kid?: unknown } | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
    return typeof header === 'object' && header !== null ? header : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param secret the shared secret
 * @param buyerId whose token
 * @param lifeMs how long it is good for, in ms
 * @returns a signed token
 */
export function issueToken(secret: string, buyerId: string, lifeMs = TOKEN_LIFE_MS): string {
  return createSigner({ key: secret, algorithm: 'HS256', expiresIn: lifeMs })({ sub: buyerId });
}

/** How long an operator stays logged in, in ms: a working day. */
export const SESSION_LIFE_MS = 8 * 60 * 60 * 1_000;

/** Whoever holds a buyer's token is not an operator, whatever the keys are. */
const SESSION = { sub: 'operator', aud: 'dropline-admin' } as const;

/**
 * @param key signs it; not the key of the buyers' tokens
 * @param lifeMs how long it is good for, in ms
 * @returns the session of an operator who has logged in
 */
export function issueSession(key: string, lifeMs = SESSION_LIFE_MS): string {
  return createSigner({ key, algorithm: 'HS256', expiresIn: lifeMs })(SESSION);
}

/**
 * @param key the key that sessions are signed with
 * @returns a function that tells whether a session was issued with that key and hasn't ended
 */
export function sessionVerifier(key: string): (session: string) => boolean {
  const verify = createVerifier({
    key,
    algorithms: ['HS256'],
    allowedAud: SESSION.aud,
    allowedSub: SESSION.sub,
    requiredClaims: ['sub', 'aud', 'exp'],
    cache: false,
  });
  return session => {
    try {
      return Boolean(verify(session));
    } catch {
      // Whatever is wrong with it, it lets nobody in.
      return false;
    }
  };
}

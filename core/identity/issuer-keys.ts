import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';
import { boundedText } from '../http/bounded-text.js';
import { SECOND_MS } from '../rules/clock.js';

/**
 * Signature algorithms accepted in tokens of the shop's issuer. Symmetric ones and `none` are excluded on purpose, as
 * they let an attacker forge tokens.
 */
export const ISSUER_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
/** A signature algorithm that is accepted in tokens of the shop's issuer. */
export type IssuerAlgorithm = (typeof ISSUER_ALGORITHMS)[number];

/** A public key that verifies tokens of the shop's issuer. */
export interface IssuerKey {
  /** The only algorithm accepted in tokens that name this key. */
  algorithm: IssuerAlgorithm;
  pem: string;
}

/**
 * Time limit for reading the issuer's key list over HTTP, in ms. After a time-out, the list is requested again later.
 */
const ANSWER_MS = 3 * SECOND_MS;

/** Largest key list accepted from the issuer, in bytes. A usual list holds two to ten keys of about 500 bytes. */
const BYTES_MAX = 256 * 1_024;
const KEYS_MAX = 100;

/** Shortest RSA key accepted from the issuer, in bits: shorter ones can be broken (RFC 7518, 3.3). */
const RSA_BITS_MIN = 2_048;

const KeyList = z.object({ keys: z.array(z.unknown()).max(KEYS_MAX) });

/**
 * The form of a key in the list: a public signing key with a name (RFC 7517). A key with its private part `d` is
 * refused, as anyone could sign with it.
 */
const Jwk = z.looseObject({
  kid: z.string().min(1),
  kty: z.string(),
  crv: z.string().optional(),
  alg: z.string().optional(),
  use: z.literal('sig').optional(),
  d: z.never().optional(),
});

/**
 * Reads the public keys of the shop's token issuer over HTTP.
 *
 * @param url the address of the key list (JWKS), from our settings only; redirects are refused
 * @param signal aborts the request
 * @returns the usable keys by name (`kid`), at least one
 * @throws Error when the list cannot be read or holds no usable key
 */
export async function readIssuerKeys(url: string, signal: AbortSignal): Promise<Map<string, IssuerKey>> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  if (!response.ok) throw new Error(`the issuer answered ${response.status}`);
  const { keys } = KeyList.parse(JSON.parse(await boundedText(response, BYTES_MAX)));
  const usable = keys.flatMap(key => usableKey(key) ?? []);
  if (usable.length === 0) throw new Error('the issuer publishes no key that can be used');
  return new Map(usable);
}

/**
 * Returns the key of a list entry, or undefined if the entry is malformed or has another purpose. So a bad entry never
 * spoils the good keys.
 */
function usableKey(published: unknown): [[string, IssuerKey]] | undefined {
  const jwk = Jwk.safeParse(published).data;
  const algorithm = jwk && algorithmOf(jwk);
  if (!algorithm || (jwk.alg !== undefined && jwk.alg !== algorithm)) return undefined;
  try {
    const key = createPublicKey({ key: published as JsonWebKey, format: 'jwk' });
    const { modulusLength = RSA_BITS_MIN } = key.asymmetricKeyDetails ?? {};
    if (modulusLength < RSA_BITS_MIN) return undefined;
    return [[jwk.kid, { algorithm, pem: key.export({ type: 'spki', format: 'pem' }).toString() }]];
  } catch {
    return undefined;
  }
}

function algorithmOf({ kty, crv }: z.output<typeof Jwk>): IssuerAlgorithm | undefined {
  if (kty === 'RSA') return 'RS256';
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : undefined;
}

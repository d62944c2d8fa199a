import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';
import { boundedText } from '../http/bounded-text.js';
import { SECOND_MS } from '../rules/clock.js';

/** Accepted signature algorithms. Symmetric algorithms and `none` are excluded on purpose. */
export const ISSUER_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
/** One of the accepted algorithms. */
export type IssuerAlgorithm = (typeof ISSUER_ALGORITHMS)[number];

/** A public key with which an issuer signs tokens. */
export interface IssuerKey {
  /** The only algorithm that a token of this key may name. */
  algorithm: IssuerAlgorithm;
  pem: string;
}

/** Time limit for an answer of the issuer, in ms. After it, the key list is requested again later. */
const ANSWER_MS = 3 * SECOND_MS;

/** Largest key list accepted, in bytes. A list holds two to ten keys of about 500 bytes. */
const BYTES_MAX = 256 * 1_024;
const KEYS_MAX = 100;

/** Shortest RSA key accepted, in bits: shorter ones can be broken (RFC 7518, 3.3). */
const RSA_BITS_MIN = 2_048;

const KeyList = z.object({ keys: z.array(z.unknown()).max(KEYS_MAX) });

/** A public signing key with a name (RFC 7517). A list that contains the private part would let anybody sign. */
const Jwk = z.looseObject({
  kid: z.string().min(1),
  kty: z.string(),
  crv: z.string().optional(),
  alg: z.string().optional(),
  use: z.literal('sig').optional(),
  d: z.never().optional(),
});

/**
 * Reads the public keys of an issuer.
 *
 * @param url where the issuer publishes the keys: from the settings only, and redirects are refused
 * @param signal cancels the request
 * @returns the usable keys by name, at least one
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

/** Keys for other purposes and entries that are no key are skipped, so that they spoil no good key. */
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

import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';
import { boundedText } from '../http/bounded-text.js';
import { SECOND_MS } from '../rules/clock.js';

/** How tokens of an issuer may be signed: never with a secret that we would share, and never not at all. */
export const ISSUER_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
export type IssuerAlgorithm = (typeof ISSUER_ALGORITHMS)[number];

/** One key that an issuer signs with. */
export interface IssuerKey {
  /** The only algorithm that a token of this key may name. */
  algorithm: IssuerAlgorithm;
  pem: string;
}

/** An issuer that takes longer than this, in ms, is asked again later. */
const ANSWER_MS = 3 * SECOND_MS;

/** A list has two to ten keys of 500 bytes; what is longer isn't one. */
const BYTES_MAX = 256 * 1_024;
const KEYS_MAX = 100;

/** Shorter ones can be broken (RFC 7518, 3.3). */
const RSA_BITS_MIN = 2_048;

const KeyList = z.object({ keys: z.array(z.unknown()).max(KEYS_MAX) });

/** A public key (RFC 7517) that signs and has a name. One with its private part in the list can be used by anybody. */
const Jwk = z.looseObject({
  kid: z.string().min(1),
  kty: z.string(),
  crv: z.string().optional(),
  alg: z.string().optional(),
  use: z.literal('sig').optional(),
  d: z.never().optional(),
});

/**
 * Reads an issuer's public keys.
 *
 * @param url where the issuer publishes them; it comes from the settings, and no redirect leads away from it
 * @param signal ends it early
 * @returns the keys that can be used, by their names; never none
 * @throws whatever keeps it from that
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

/** What an issuer publishes for other purposes, or is not a key at all, is passed over: the other keys are good. */
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

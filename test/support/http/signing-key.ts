import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

type Algorithm = 'RS256' | 'ES256' | 'EdDSA';

const PAIRS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

/** A key pair of an issuer. */
export interface SigningKey {
  kid: string;
  algorithm: Algorithm;
  publicKey: KeyObject;
  privateKey: KeyObject;
  /** The public key as the issuer publishes it. */
  jwk: Record<string, unknown>;
}

/** Creates a key pair. */
export function signingKey(kid: string, algorithm: Algorithm = 'RS256'): SigningKey {
  const { publicKey, privateKey } = PAIRS[algorithm]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, publicKey, privateKey, jwk };
}

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs a JWT. The header names key and algorithm unless it says otherwise. */
export function signToken(key: SigningKey, payload: object, header: object = {}): string {
  const text = `${base64({ alg: key.algorithm, typ: 'JWT', kid: key.kid, ...header })}.${base64(payload)}`;
  const hash = key.algorithm === 'EdDSA' ? null : 'sha256';
  const signature = sign(hash, Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** Signs the payload of a token as an attacker would who uses the public key as a shared secret. */
export function confusedToken(good: string, key: SigningKey, format: 'pem' | 'der'): string {
  const [, payload] = good.split('.');
  const text = `${base64({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${payload}`;
  const secret =
    format === 'pem' ? key.publicKey.export({ type: 'spki', format }) : key.publicKey.export({ type: 'spki', format });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

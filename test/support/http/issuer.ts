import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const AUDIENCE = 'dropline';

/** How far ahead of now the tokens end, in s. */
const LIFE_SECONDS = 600;

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
  /** What is published of it. */
  jwk: Record<string, unknown>;
}

/** @returns a new key pair */
export function signingKey(kid: string, algorithm: Algorithm = 'RS256'): SigningKey {
  const { publicKey, privateKey } = PAIRS[algorithm]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, publicKey, privateKey, jwk };
}

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A shop's own issuer of tokens, on a real HTTP server. */
export interface TestIssuer {
  /** Where its keys are. */
  jwksUrl: string;
  /** What its tokens name. */
  name: string;
  /** How often its keys were asked for. */
  reads: number;
  /** What it publishes; a test may change it. */
  published: unknown[];
  /** Answers something else than its keys, while it is set. */
  answer: { status: number; headers?: Record<string, string>; body?: string } | undefined;
  /** Goes away: nobody listens any more. */
  stop(): Promise<void>;
  /** Comes back, at the same place. */
  start(): Promise<void>;
  /** A token that is good, but for what a test changes. */
  token(key: SigningKey, payload?: object, header?: object): string;
}

/**
 * Starts an issuer.
 *
 * @param published its keys
 * @returns the issuer; it listens; whoever starts it stops it
 */
export async function startIssuer(...published: unknown[]): Promise<TestIssuer> {
  const server = createServer((_req, res) => {
    issuer.reads += 1;
    const { status, headers, body } = issuer.answer ?? {
      status: 200,
      body: JSON.stringify({ keys: issuer.published }),
    };
    res.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end(body);
  });
  let port = 0;
  const start = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const stop = async () => {
    if (server.listening) await once(server.close(), 'close');
  };
  await start();
  const name = `http://127.0.0.1:${port}/`;
  const issuer: TestIssuer = {
    jwksUrl: `${name}.well-known/jwks.json`,
    name,
    reads: 0,
    published,
    answer: undefined,
    stop,
    start,
    token(key, payload, header) {
      const exp = Math.floor(Date.now() / 1_000) + LIFE_SECONDS;
      const claims = { iss: name, aud: AUDIENCE, sub: 'ann', exp, ...payload };
      const text = `${base64({ alg: key.algorithm, typ: 'JWT', kid: key.kid, ...header })}.${base64(claims)}`;
      const hash = key.algorithm === 'EdDSA' ? null : 'sha256';
      return `${text}.${sign(hash, Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
  };
  return issuer;
}

/** @returns the token of somebody who takes a public key for a shared secret */
export function confusedToken(good: string, key: SigningKey, format: 'pem' | 'der'): string {
  const [, payload] = good.split('.');
  const text = `${base64({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${payload}`;
  const secret =
    format === 'pem' ? key.publicKey.export({ type: 'spki', format }) : key.publicKey.export({ type: 'spki', format });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

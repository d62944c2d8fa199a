import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SigningKey, signToken } from './signing-key.js';

/** The audience of the tokens. */
export const AUDIENCE = 'dropline';

/** Lifetime of the tokens, in s. */
const LIFE_SECONDS = 600;

/** The issuer of a shop, on a real HTTP server. */
export class TestIssuer {
  /** Counts the reads of the keys. */
  reads = 0;
  /** The published keys. A test may change them. */
  published: unknown[];
  /** An answer instead of the keys. */
  answer: { status: number; headers?: Record<string, string>; body?: string } | undefined;
  #port = 0;
  readonly #server = createServer((...request) => this.#respond(...request));

  constructor(published: unknown[]) {
    this.published = published;
  }

  /** The issuer that the tokens name. */
  get name(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** The address of the keys. */
  get jwksUrl(): string {
    return `${this.name}.well-known/jwks.json`;
  }

  /** Listens, again on the same port after `stop`. */
  async start(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening. */
  async stop(): Promise<void> {
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }

  /** Signs a valid token of the buyer `ann`. Payload and header may differ from it. */
  token(key: SigningKey, payload?: object, header?: object): string {
    const exp = Math.floor(Date.now() / 1_000) + LIFE_SECONDS;
    return signToken(key, { iss: this.name, aud: AUDIENCE, sub: 'ann', exp, ...payload }, header);
  }

  #respond(...[, res]: Parameters<RequestListener>): void {
    this.reads += 1;
    const keys = { status: 200, body: JSON.stringify({ keys: this.published }), headers: {} };
    const { status, headers, body } = this.answer ?? keys;
    res.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end(body);
  }
}

/** Starts an issuer with these keys. The caller stops the issuer. */
export async function startIssuer(...published: unknown[]): Promise<TestIssuer> {
  const issuer = new TestIssuer(published);
  await issuer.start();
  return issuer;
}

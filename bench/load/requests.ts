import { createSigner } from 'fast-jwt';
import { buyerName, type LoadPlan } from './plan.js';

const DAY_MS = 86_400_000;

/** Signed buyer tokens, made once and used in every run: signing would cost the generator more than sending. */
export interface Tokens {
  of(index: number): string;
}

/**
 * @param secret what the servers verify with
 * @returns tokens, each signed when it is first asked for
 */
export function tokensOf(secret: string): Tokens {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: DAY_MS });
  const signed: string[] = [];
  return {
    of(index) {
      let token = signed[index];
      if (token === undefined) {
        token = sign({ sub: buyerName(index) });
        signed[index] = token;
      }
      return token;
    },
  };
}

/** All requests of a run, one behind the other: request i begins at `i * length`. */
export interface Requests {
  bytes: Buffer;
  length: number;
  count: number;
}

/**
 * Writes every request of a run before it begins, so that sending a piece of them is one system call and no work.
 *
 * @param plan what is asked for
 * @param tokens the buyers' tokens
 * @returns the requests, in the order in which they are to be sent
 */
export function writeRequests(plan: LoadPlan, tokens: Tokens): Requests {
  const body = plan.method === 'POST' ? 'Content-Length: 0\r\n' : '';
  const head = `${plan.method} ${plan.path} HTTP/1.1\r\nHost: 127.0.0.1:${plan.port}\r\n${body}Authorization: Bearer `;
  const textOf = (index: number) => `${head}${tokens.of(index)}\r\n\r\n`;
  const clicks = plan.clicks ?? 1;
  const length = textOf(plan.first).length;
  const count = plan.count * clicks;
  const bytes = Buffer.allocUnsafe(length * count);
  for (let i = 0; i < count; i += 1) {
    const text = textOf(plan.first + Math.floor(i / clicks));
    if (text.length !== length) throw new Error('the requests of a run must be of one length');
    bytes.write(text, i * length, 'latin1');
  }
  return { bytes, length, count };
}

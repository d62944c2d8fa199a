import { createSigner } from 'fast-jwt';
import { passKey, signPass } from '#core/identity/pass.js';
import { buyerName, type LoadPlan } from './plan.js';

const DAY_MS = 86_400_000;

/** Signed tokens of buyers, kept for every run: signing costs the generator more than sending. */
export interface Tokens {
  /** @param isGrouped whether the token names a group of the buyer's own */
  of(index: number, isGrouped?: boolean): string;
}

/**
 * Creates tokens for the buyers of {@link buyerName}. Each token is signed when it is first needed.
 *
 * @param secret the servers under test verify with the same one
 */
export function createTokens(secret: string): Tokens {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: DAY_MS });
  const signed: Record<'plain' | 'grouped', string[]> = { plain: [], grouped: [] };
  return {
    of(index, isGrouped = false) {
      const known = signed[isGrouped ? 'grouped' : 'plain'];
      let token = known[index];
      if (token === undefined) {
        token = sign({ sub: buyerName(index), ...(isGrouped && { dropline_group: buyerName(index) }) });
        known[index] = token;
      }
      return token;
    },
  };
}

/** Returns the function that writes the header with a buyer's pass; empty without passes. All have one length. */
function passesOf({ pass }: LoadPlan): (index: number) => string {
  if (!pass) return () => '';
  const { saleId, secret, usefulAtMs } = pass;
  const key = passKey(secret);
  const times = { notBeforeMs: usefulAtMs, expiresAtMs: usefulAtMs + DAY_MS };
  return index => `Dropline-Pass: ${signPass(key, { saleId, buyerId: buyerName(index), ...times })}\r\n`;
}

/** All requests of a run in one buffer: request i begins at `i * length`. */
export interface Requests {
  bytes: Buffer;
  length: number;
  count: number;
}

/**
 * Writes every request of a run before the run begins. Sending a piece of them is then only one system call.
 *
 * @throws Error when the requests differ in length
 */
export function writeRequests(plan: LoadPlan, tokens: Tokens): Requests {
  const body = plan.method === 'POST' ? 'Content-Length: 0\r\n' : '';
  const rest = `HTTP/1.1\r\nHost: 127.0.0.1:${plan.port}\r\n${body}Authorization: Bearer `;
  const passOf = passesOf(plan);
  const heads = [plan.path].flat().map(path => `${plan.method} ${path} ${rest}`);
  const textOf = (index: number) =>
    `${heads[index % heads.length]}${tokens.of(index, plan.grouped)}\r\n${passOf(index)}\r\n`;
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

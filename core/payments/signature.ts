import { createHmac, timingSafeEqual } from 'node:crypto';
import { SECOND_MS } from '../rules/clock.js';

// Stripe's signature scheme: `t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<raw body>">`, with one `v1` per key while
// keys are rotated. Payment providers sign their events this way, and Dropline its webhook calls to the shop.

/**
 * Tolerated age of a webhook signature, in ms: Stripe's default. A younger call can be replayed, but its unique event
 * id makes the replay a no-op.
 */
export const TOLERANCE_MS = 300 * SECOND_MS;

/** The most signatures accepted in one signature header. More would only cost CPU time. */
const SIGNATURES_MAX = 8;

/**
 * Signs the body of a webhook call.
 *
 * @param secrets the signing keys, newest first; two while keys are rotated
 * @param body the raw bytes
 * @param nowMs the present time, in ms since the epoch
 * @returns the value of the signature header
 */
export function signBody(secrets: readonly string[], body: Buffer | string, nowMs: number): string {
  const seconds = Math.floor(nowMs / SECOND_MS);
  return [`t=${seconds}`, ...secrets.map(secret => `v1=${digest(secret, seconds, body).toString('hex')}`)].join(',');
}

/** A webhook call to verify: its signature header, and its raw bytes, as parsed and serialised JSON has other bytes. */
export interface SignedBody {
  body: Buffer;
  header: string | undefined;
}

/**
 * Verifies the signature of a webhook call.
 *
 * @param secrets the accepted keys: two while keys are rotated
 * @param nowMs the present time, in ms since the epoch
 * @returns true when one of the keys signed these bytes less than {@link TOLERANCE_MS} ago
 */
export function isSigned(secrets: readonly string[], { body, header }: SignedBody, nowMs: number): boolean {
  const signature = parseHeader(header, nowMs);
  if (!signature) return false;
  const { seconds, given } = signature;
  const expected = secrets.map(secret => digest(secret, seconds, body));
  // All pairs of expected and given signatures are compared, so that the time taken reveals nothing about the keys.
  return expected.map(right => given.filter(one => timingSafeEqual(one, right)).length > 0).includes(true);
}

/**
 * Tells whether a signature header may fit any body: it has the right form, and is less than {@link TOLERANCE_MS} old.
 *
 * @param nowMs the present time, in ms since the epoch
 */
export function mayBeSigned(header: string | undefined, nowMs: number): boolean {
  return parseHeader(header, nowMs) !== undefined;
}

/** A signature header's time stamp, in s as the header states it, and its signatures. */
interface Signature {
  seconds: string;
  given: Buffer[];
}

/** Parses a signature header. Returns undefined for another form, and for a time too far from the present. */
function parseHeader(header: string | undefined, nowMs: number): Signature | undefined {
  const parts = (header ?? '').split(',').map(part => part.trim());
  const times = parts.filter(part => part.startsWith('t=')).map(part => part.slice(2));
  const given = parts.filter(part => /^v1=[0-9a-f]{64}$/.test(part)).map(part => Buffer.from(part.slice(3), 'hex'));
  const [seconds] = times;
  if (times.length !== 1 || seconds === undefined || !/^\d{1,12}$/.test(seconds)) return undefined;
  if (given.length === 0 || given.length > SIGNATURES_MAX) return undefined;
  if (Math.abs(nowMs - Number(seconds) * SECOND_MS) > TOLERANCE_MS) return undefined;
  return { seconds, given };
}

function digest(secret: string, seconds: number | string, body: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();
}

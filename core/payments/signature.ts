import { createHmac, timingSafeEqual } from 'node:crypto';
import { SECOND_MS } from '../rules/clock.js';

// The scheme of Stripe's signatures: `t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<raw body>">`, with a `v1` for each key
// while keys are rotated. Both directions use it: events that providers send us, and those that we send the shop.

/** How far the time in a signature may be from ours, in ms: Stripe's own default. Within it, the event's id stops a replay. */
export const TOLERANCE_MS = 300 * SECOND_MS;

/** A header with more of them is not a signature but an attempt to keep us busy. */
const SIGNATURES_MAX = 8;

/**
 * @param secrets the keys; the newest first, and while it replaces another, both
 * @param body the raw bytes
 * @param nowMs the time, in ms since the epoch
 * @returns the header
 */
export function signBody(secrets: readonly string[], body: Buffer | string, nowMs: number): string {
  const seconds = Math.floor(nowMs / SECOND_MS);
  return [`t=${seconds}`, ...secrets.map(secret => `v1=${digest(secret, seconds, body).toString('hex')}`)].join(',');
}

/**
 * @param secrets the keys that are accepted: during a rotation the old one and the new one
 * @param body the raw bytes, as they came: JSON that was parsed and written again is other bytes
 * @param header the header that came with them
 * @param nowMs the time, in ms since the epoch
 * @returns whether one of the keys signed these bytes, less than {@link TOLERANCE_MS} ago
 */
export function isSigned(secrets: readonly string[], body: Buffer, header: string | undefined, nowMs: number): boolean {
  const parts = (header ?? '').split(',').map(part => part.trim());
  const times = parts.filter(part => part.startsWith('t=')).map(part => part.slice(2));
  const given = parts.filter(part => /^v1=[0-9a-f]{64}$/.test(part)).map(part => Buffer.from(part.slice(3), 'hex'));
  const [time] = times;
  if (times.length !== 1 || time === undefined || !/^\d{1,12}$/.test(time)) return false;
  if (given.length === 0 || given.length > SIGNATURES_MAX) return false;
  if (Math.abs(nowMs - Number(time) * SECOND_MS) > TOLERANCE_MS) return false;
  const expected = secrets.map(secret => digest(secret, time, body));
  // Every pair is compared, so that how long it takes tells nothing of which key or how much of it is right.
  return expected.map(right => given.filter(one => timingSafeEqual(one, right)).length > 0).includes(true);
}

function digest(secret: string, seconds: number | string, body: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();
}

import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { SECOND_MS } from '../rules/clock.js';

/** The right of one buyer to click in one sale, between two times. Nothing stores it: its signature is the proof. */
export interface Pass {
  saleId: string;
  buyerId: string;
  /** The first moment at which the pass is of use, in ms since the epoch. */
  notBeforeMs: number;
  /** The end of the pass, in ms since the epoch. */
  expiresAtMs: number;
}

/** The key that signs passes. */
export type PassKey = KeyObject;

/**
 * The verdict on a pass that a buyer shows. `bad`: it is malformed, altered, or of another buyer, sale or secret.
 * `early` has the time until the pass is of use, in ms.
 */
export type PassVerdict = { kind: 'good' | 'bad' | 'expired' } | { kind: 'early'; waitMs: number };

/**
 * The tolerated difference between the clocks of two API processes, in ms. Each estimates the clock of Redis, which
 * decides when a sale opens.
 */
const CLOCK_TOLERANCE_MS = 5 * SECOND_MS;

const NONCE_BYTES = 9;
const KEY_BYTES = 32;
const FORM = /^((\d{1,15})\.(\d{1,15})\.[\w-]{12})\.([\w-]{43})$/;

const GOOD: PassVerdict = { kind: 'good' };
const BAD: PassVerdict = { kind: 'bad' };
const EXPIRED: PassVerdict = { kind: 'expired' };

/** Derives the key that signs passes from the shared secret (HKDF, RFC 5869). The key can sign nothing else. */
export function passKey(secret: string): PassKey {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'dropline pass', KEY_BYTES)));
}

/**
 * Signs a pass.
 *
 * @returns `notBeforeMs.expiresAtMs.nonce.signature`, safe in a header. The signature also covers sale and buyer, which
 *   every request names itself.
 */
export function signPass(key: PassKey, { saleId, buyerId, notBeforeMs, expiresAtMs }: Pass): string {
  const text = `${notBeforeMs}.${expiresAtMs}.${randomBytes(NONCE_BYTES).toString('base64url')}`;
  return `${text}.${signature(key, `${saleId}.${buyerId}.${text}`)}`;
}

/**
 * Judges a pass that a buyer shows. It does no I/O and takes about 3 µs (measured), and less for a malformed one.
 *
 * @param keys the keys of which one has signed the pass: one, or two while the shared secret is rotated
 * @param shown the sale and the buyer that the request names
 * @param nowMs the present time in ms since the epoch
 */
export function judgePass(
  keys: readonly PassKey[],
  text: string,
  { saleId, buyerId, nowMs }: Pick<Pass, 'saleId' | 'buyerId'> & { nowMs: number },
): PassVerdict {
  const parts = FORM.exec(text);
  if (!parts) return BAD;
  const [, signed, notBeforeMs, expiresAtMs, given = ''] = parts;
  const isBy = (key: PassKey) =>
    timingSafeEqual(Buffer.from(signature(key, `${saleId}.${buyerId}.${signed}`)), Buffer.from(given));
  if (!keys.some(isBy)) return BAD;
  if (nowMs > Number(expiresAtMs) + CLOCK_TOLERANCE_MS) return EXPIRED;
  const waitMs = Number(notBeforeMs) - CLOCK_TOLERANCE_MS - nowMs;
  return waitMs > 0 ? { kind: 'early', waitMs } : GOOD;
}

/** Signs fields joined by dots. Ids of sales and buyers contain no dot, so two passes never give the same text. */
function signature(key: PassKey, fields: string): string {
  return createHmac('sha256', key).update(fields).digest('base64url');
}

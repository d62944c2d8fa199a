import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Claim } from '../rules/claim.js';

/** The proof of a claim that its buyer holds: it still tells the truth when Redis has lost the claim. */
export interface Receipt extends Claim {
  saleId: string;
  wonAtMs: number;
}

/** What signs receipts: a secret, or what {@link receiptKey} made of one. */
export type ReceiptKey = string | KeyObject;

/**
 * @param secret the shared secret
 * @returns the same, ready to sign with: 1.5 µs a receipt instead of 3.3 (measured)
 */
export function receiptKey(secret: string): ReceiptKey {
  return createSecretKey(secret, 'utf8');
}

/**
 * @param key signs it
 * @param receipt what it says
 * @returns `claimId.unit.wonAtMs.signature`, safe in a URL; the sale and the buyer are known where it is shown
 */
export function signReceipt(key: ReceiptKey, receipt: Receipt): string {
  const text = `${receipt.claimId}.${receipt.unit}.${receipt.wonAtMs}`;
  return `${text}.${signature(key, receipt.saleId, receipt.buyerId, text)}`;
}

/**
 * @param key what it was signed with
 * @param saleId the sale it is shown for
 * @param buyerId the buyer who shows it
 * @param text the receipt
 * @returns what it says, or undefined when it was not signed for this sale and this buyer
 */
export function verifyReceipt(key: ReceiptKey, saleId: string, buyerId: string, text: string): Receipt | undefined {
  const parts = /^(([0-9a-f-]{36})\.(\d{1,9})\.(\d{1,15}))\.([\w-]{43})$/.exec(text);
  if (!parts) return undefined;
  const [, signed = '', claimId = '', unit, wonAtMs, given = ''] = parts;
  const expected = signature(key, saleId, buyerId, signed);
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(given))) return undefined;
  return { saleId, buyerId, claimId, unit: Number(unit), wonAtMs: Number(wonAtMs) };
}

/** Sale and buyer ids have no dots, so the joined text can be read in one way only. */
function signature(key: ReceiptKey, saleId: string, buyerId: string, text: string): string {
  return createHmac('sha256', key).update(`receipt.${saleId}.${buyerId}.${text}`).digest('base64url');
}

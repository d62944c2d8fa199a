import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { MINUTE_MS, SECOND_MS } from '../rules/clock.js';
import type { Sale } from '../rules/sale.js';
import type { ReceiptKey } from './receipt.js';

/** The content of a pass: one buyer may click in one sale, between two times by Redis's clock, in ms since the epoch. */
export interface Pass {
  saleId: string;
  buyerId: string;
  fromMs: number;
  untilMs: number;
}

/** Buyers get a pass from this long before the moment at which they may first click, in ms. */
export const PASS_LEAD_MS = MINUTE_MS;

/** The life of a pass, from its beginning, in ms. A buyer who needs longer gets another one. */
export const PASS_LIFE_MS = 10 * MINUTE_MS;

/**
 * The tolerated difference between the clocks of two servers, in ms: Redis's clock as one API process estimates it when it
 * gives a pass, and as another one does when it sees the pass.
 */
export const PASS_TOLERANCE_MS = 5 * SECOND_MS;

/** The random bytes of a pass, so that no two passes are alike. */
const NONCE_BYTES = 9;

/** `from.until.nonce.signature`, with times of at most 15 digits. */
const FORM = /^((\d{1,15})\.(\d{1,15})\.[\w-]{12})\.([\w-]{43})$/;

/** Returns when buyers may first click in a sale, to buy or to join its line, in ms since the epoch. */
export function firstClickAtMs({ joinsAtMs, opensAtMs }: Pick<Sale, 'joinsAtMs' | 'opensAtMs'>): number {
  return joinsAtMs ?? opensAtMs;
}

/**
 * Signs a pass. It is valid from the moment at which buyers may first click, and for {@link PASS_LIFE_MS}, but not beyond
 * the end of the sale. Nothing is stored.
 *
 * @param key the key that signs receipts, too. The signed texts begin with other words, so that neither stands for the other
 * @param nowMs the present time by Redis's clock, in ms since the epoch
 * @returns the pass, and its text, which is safe in a header
 */
export function signPass(
  key: ReceiptKey,
  sale: Pick<Sale, 'id' | 'joinsAtMs' | 'opensAtMs' | 'closesAtMs'>,
  { buyerId, nowMs }: { buyerId: string; nowMs: number },
): { pass: Pass; text: string } {
  const fromMs = Math.floor(Math.max(nowMs, firstClickAtMs(sale)));
  const untilMs = Math.floor(Math.min(fromMs + PASS_LIFE_MS, sale.closesAtMs));
  const pass = { saleId: sale.id, buyerId, fromMs, untilMs };
  const signed = `${fromMs}.${untilMs}.${randomBytes(NONCE_BYTES).toString('base64url')}`;
  return { pass, text: `${signed}.${signature(key, pass, signed)}` };
}

/** Why a pass does not count: it is malformed or not of this buyer and sale, or its time has not come or is over. */
export type PassFault = 'bad' | 'early' | 'expired';

/**
 * Judges the pass that a buyer shows, without any I/O.
 *
 * @param keys the keys of which one has signed the pass: one, or two while the shared secret is rotated
 * @param shown the sale and the buyer that the request names, and the present time by Redis's clock
 * @returns undefined for a valid pass
 */
export function faultOf(
  keys: readonly ReceiptKey[],
  text: string,
  shown: Pick<Pass, 'saleId' | 'buyerId'> & { nowMs: number },
): PassFault | undefined {
  const parts = FORM.exec(text);
  if (!parts) return 'bad';
  const [, signed = '', fromMs, untilMs, given = ''] = parts;
  const isBy = (key: ReceiptKey) => timingSafeEqual(Buffer.from(signature(key, shown, signed)), Buffer.from(given));
  if (!keys.some(isBy)) return 'bad';
  if (shown.nowMs < Number(fromMs) - PASS_TOLERANCE_MS) return 'early';
  return shown.nowMs > Number(untilMs) + PASS_TOLERANCE_MS ? 'expired' : undefined;
}

/** Signs the fields of a pass, joined by dots. Ids of sales and buyers contain no dot, so two passes never give the same text. */
function signature(key: ReceiptKey, { saleId, buyerId }: Pick<Pass, 'saleId' | 'buyerId'>, text: string): string {
  return createHmac('sha256', key).update(`pass.${saleId}.${buyerId}.${text}`).digest('base64url');
}

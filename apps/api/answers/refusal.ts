import type { ClaimOutcome, SaleRefusal } from '#core/redis/claims/claim.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { ProblemCode, ProblemDetails } from '#core/rules/errors.js';

/** A paused sale is usually back within 5 s. After a restart of Redis, a sale is verified within 2 s. */
const PAUSED_RETRY_SECONDS = 5;
const UNVERIFIED_RETRY_SECONDS = 2;

/** A problem before it is sent. It is no error, as a crowd's refusals need no stack trace. */
export interface Refused {
  code: ProblemCode;
  details: ProblemDetails;
}

/** Words a claim that was refused because of another purchase of its buyer. */
export function tooSoon({ because, waitMs }: Extract<ClaimOutcome, { kind: 'too_soon' }>): Refused {
  const detail =
    because === 'interval' ? 'the pause between two purchases is not over' : 'another purchase is not finished';
  return { code: 'too_soon', details: { detail, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / SECOND_MS)) } };
}

/**
 * Words the refusal of a whole sale.
 *
 * @param opensAtMs when the sale opens, in ms since the epoch
 */
export function saleRefused(refusal: SaleRefusal, opensAtMs: number): Refused {
  const opensAt = new Date(opensAtMs).toISOString();
  switch (refusal) {
    case 'closed':
      return { code: 'sale_closed', details: {} };
    case 'paused': {
      const detail = 'the sale is paused';
      return { code: 'not_open', details: { detail, opensAt, retryAfterSeconds: PAUSED_RETRY_SECONDS } };
    }
    case 'not_open': {
      const seconds = Math.ceil((opensAtMs - Date.now()) / SECOND_MS);
      return { code: 'not_open', details: { opensAt, retryAfterSeconds: Math.max(1, seconds) } };
    }
    case 'unknown_sale':
    case 'unverified':
      return { code: 'unavailable', details: { retryAfterSeconds: UNVERIFIED_RETRY_SECONDS } };
  }
}

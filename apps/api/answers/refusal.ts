import type { ClaimOutcome, SaleRefusal } from '#core/redis/claims/claim.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { ProblemCode, ProblemDetails } from '#core/rules/errors.js';

/**
 * Seconds for `Retry-After`. A paused sale usually resumes within 5 s. After a restart of Redis, a worker compares each
 * sale with Postgres within 2 s. A node of a Redis Cluster that dies has a successor within some seconds.
 */
const PAUSED_RETRY_SECONDS = 5;
const UNVERIFIED_RETRY_SECONDS = 2;

/** A refusal that is not sent yet. It is no Error, as the refusals of a crowd need no stack traces. */
export interface Refused {
  code: ProblemCode;
  details: ProblemDetails;
}

/** Returns the refusal for a buyer whose other purchase is unfinished, or too recent for the sale's rules. */
export function tooSoon({ because, waitMs }: Extract<ClaimOutcome, { kind: 'too_soon' }>): Refused {
  const detail =
    because === 'interval' ? 'the pause between two purchases is not over' : 'another purchase is not finished';
  return { code: 'too_soon', details: { detail, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / SECOND_MS)) } };
}

/** Returns the refusal for a buyer whose order ended without payment, while free units are for everybody else. */
export function othersFirst({ waitMs }: Extract<ClaimOutcome, { kind: 'others_first' }>): Refused {
  return { code: 'others_first', details: { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / SECOND_MS)) } };
}

/**
 * Returns the refusal for a sale that gives out nothing to anybody at the moment.
 *
 * @param opensAtMs when the sale opens, or buyers may begin to join, in ms since the epoch
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
    case 'not_joining': {
      const seconds = Math.ceil((opensAtMs - Date.now()) / SECOND_MS);
      const detail = 'buyers may not join yet';
      return { code: 'not_open', details: { detail, joinsAt: opensAt, retryAfterSeconds: Math.max(1, seconds) } };
    }
    case 'not_open': {
      const seconds = Math.ceil((opensAtMs - Date.now()) / SECOND_MS);
      return { code: 'not_open', details: { opensAt, retryAfterSeconds: Math.max(1, seconds) } };
    }
    case 'unknown_sale':
    case 'unverified':
    case 'locks_away':
      return { code: 'unavailable', details: { retryAfterSeconds: UNVERIFIED_RETRY_SECONDS } };
  }
}

import { brokeUnexpectedly, storeFailed } from '../process/telemetry.js';
import { Problem, type ProblemCode, type ProblemDetails } from '../rules/errors.js';

/**
 * A store is likely to be back after this time, in s. Clients reconnect within 1 s, and sales are verified within
 * another.
 */
const UNAVAILABLE_RETRY_SECONDS = 2;

/** Express and its body parsers throw errors with these HTTP statuses. Any other 4xx means a malformed request. */
const CODES: Record<number, ProblemCode> = { 404: 'not_found', 413: 'body_too_large' };

/** Tells the failures of one store from defects. */
export interface StoreFailures {
  store: 'redis' | 'postgres';
  /** Whether the error means that the store can't be reached or can't serve, so that a retry may help. */
  include(error: unknown): boolean;
  /** Details for clients that may know which store failed. */
  details?: ProblemDetails;
}

/**
 * Maps a thrown error to the problem that the client sees. A store's failure is reported as such. An unexpected error is
 * logged here and only here, and its text never reaches the client.
 *
 * @param error the thrown value
 * @param where names the endpoint in log and metric
 * @param stores the stores that the app depends on
 */
export function problemOf(error: unknown, where: string, stores: readonly StoreFailures[]): Problem {
  if (error instanceof Problem) return error;
  const failed = stores.find(failures => failures.include(error));
  if (failed) {
    storeFailed(failed.store, error);
    return new Problem('unavailable', { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS, ...failed.details });
  }
  const { status } = error as { status?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem(CODES[status] ?? 'invalid_request');
  brokeUnexpectedly(where, error);
  return new Problem('internal');
}

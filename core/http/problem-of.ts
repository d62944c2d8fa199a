import { brokeUnexpectedly, storeFailed } from '../process/telemetry.js';
import { Problem, type ProblemCode, type ProblemDetails } from '../rules/errors.js';
import { isLostRequest } from './lost-request.js';

/**
 * Seconds for `Retry-After` while Redis or Postgres is away. Clients reconnect within 1 s, and a worker compares the
 * sales with Postgres within one more.
 */
const UNAVAILABLE_RETRY_SECONDS = 2;

/**
 * The problem codes for HTTP statuses of errors that Express and its body parsers throw. Any other 4xx becomes
 * `invalid_request`.
 */
const CODES: Record<number, ProblemCode> = { 404: 'not_found', 413: 'body_too_large' };

/** Recognises the errors by which Redis or Postgres fails. All other errors are defects of the code. */
export interface StoreFailures {
  store: 'redis' | 'postgres';
  /**
   * Tells whether an error means that this store is unreachable or cannot serve for the moment. Then a retry may help.
   */
  include(error: unknown): boolean;
  /** Fields added to the answer, for an app whose clients may know which store failed. */
  details?: ProblemDetails;
}

/**
 * Maps a thrown error to the problem that the client sees. A failure of Redis or Postgres becomes `unavailable`. An
 * unexpected error becomes `internal`: it is logged here only, and its text never reaches the client. A request that
 * its client broke off is no failure of ours, so it is neither counted nor logged.
 *
 * @param error the thrown value; a `Problem` is returned unchanged
 * @param where the endpoint, as log and metric name it
 * @param stores recognises the failures of each store that the app depends on
 * @returns undefined for a request that its client broke off, as nobody reads an answer
 */
export function problemOf(error: unknown, where: string, stores: readonly StoreFailures[]): Problem | undefined {
  if (error instanceof Problem) return error;
  if (isLostRequest(error)) return undefined;
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

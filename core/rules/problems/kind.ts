/**
 * Whether a failed request may succeed when it is sent again. `after`: when the seconds of `Retry-After` have passed.
 * `later`: at an unknown time.
 */
export type Retry = 'no' | 'after' | 'later';

/** One kind of error that a client can see. docs/errors.md is written from these fields. */
export interface ProblemKind {
  status: number;
  title: string;
  cause: string;
  /** Advice for the client that gets the error. */
  cure: string;
  retry: Retry;
}

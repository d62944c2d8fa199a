/** Every request is answered within this time, in ms, whatever Redis does. */
export const ANSWER_MS = 1_900;

/** How long one step of an answer may wait for Redis, in ms: the answer that says so must still be in time. */
export const REDIS_STEP_MS = 1_500;

/**
 * The most requests that may wait for one kind of answer. Redis claims for about 16,000 buyers a second, so whoever comes after
 * these would only wait for the deadline.
 */
export const WAITING_MAX = 20_000;

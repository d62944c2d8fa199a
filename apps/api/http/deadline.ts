/** Every request is answered within this time, in ms, whatever Redis does. */
export const ANSWER_MS = 1_900;

/** The time-out of one step of an answer in Redis, in ms. It leaves time to send a 503 within {@link ANSWER_MS}. */
export const REDIS_STEP_MS = 1_500;

/**
 * The most requests that may wait for one kind of answer. Redis claims for about 16,000 buyers a second, so a request
 * beyond these would only wait until its deadline.
 */
export const WAITING_MAX = 20_000;

/**
 * The time within which every request is answered, in ms, even if Redis hangs. A wait that the client asks for comes on
 * top.
 */
export const ANSWER_MS = 1_900;

/** The time-out of one call of Redis for an answer, in ms. It leaves time to send a 503 within {@link ANSWER_MS}. */
export const REDIS_STEP_MS = 1_500;

/**
 * The most requests that may wait in this process for claims, and as many more for statuses. Redis makes about 16,000
 * claims a second, so a request beyond this limit would only wait until its deadline.
 */
export const WAITING_MAX = 20_000;

import { DRAW_PROBLEMS } from './problems/draws.js';
import { PASS_PROBLEMS } from './problems/passes.js';

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

/** Every error that a client can see, by its code. Clients may rely on the codes, which are stable. */
export const PROBLEMS = {
  invalid_request: {
    status: 400,
    title: 'The request is malformed',
    cause: 'The path, the query, a header or the body does not have the form that the call expects.',
    cure: 'Correct the request. `detail`, where there is one, names the part that is wrong.',
    retry: 'no',
  },
  bad_signature: {
    status: 400,
    title: 'The signature is not right, or too old',
    cause: 'The signature does not match the raw bytes and our keys, or is more than 300 s old.',
    cure: 'Sign the raw bytes with a key from `PAYMENT_WEBHOOK_SECRETS`, and keep the clock synchronised.',
    retry: 'no',
  },
  bad_receipt: {
    status: 400,
    title: 'The receipt is not of this buyer and this sale',
    cause: 'The buyer has nothing in this sale, and the receipt is malformed, of another buyer or of another sale.',
    cure: 'Send the receipt as it came, for its sale and with the token of its buyer. Or ask without a receipt.',
    retry: 'no',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid token is needed',
    cause: 'The request has no token, or its token is not valid. `detail` begins with a word that says why.',
    cure: 'Get a new token from the shop; docs/http.md lists the words. An operator logs in to the console again.',
    retry: 'no',
  },
  not_open: {
    status: 403,
    title: 'The sale is not open yet',
    cause: 'The time in `opensAt` or `joinsAt` has not come, or the operator has paused the sale.',
    cure: 'Repeat the request after `Retry-After` seconds.',
    retry: 'after',
  },
  forbidden_origin: {
    status: 403,
    title: 'This page may not do that',
    cause: 'A page of another origin sent the request, or a request with a cookie does not name its origin.',
    cure: 'Call from a page on the same origin, or send the token in the `Authorization` header.',
    retry: 'no',
  },
  forbidden_role: {
    status: 403,
    title: 'Your role may not do that',
    cause: 'The operator lacks the role that this change needs: `operate` for sales and queues, `money` for money.',
    cure: 'Ask an operator who has the role, or give it in `OPERATORS`.',
    retry: 'no',
  },
  ...PASS_PROBLEMS,
  unknown_sale: {
    status: 404,
    title: 'There is no such sale',
    cause: 'No sale has the id in the path, or the sale is not announced yet.',
    cure: 'Check the id. `npm run cli -- sale list` shows every sale, and until when it is hidden.',
    retry: 'no',
  },
  unknown_provider: {
    status: 404,
    title: 'There is no such payment provider',
    cause: 'The path names no payment provider, or the API runs without `PAYMENT_WEBHOOK_SECRETS`.',
    cure: 'Send events to `/webhooks/payments/signed-webhook`, and set the keys for both API and worker.',
    retry: 'no',
  },
  ...DRAW_PROBLEMS,
  not_found: {
    status: 404,
    title: 'There is nothing here',
    cause: 'No call has this path. In the console: no order has this id.',
    cure: 'Check the path against `/openapi.json`.',
    retry: 'no',
  },
  method_not_allowed: {
    status: 405,
    title: 'This method is not allowed here',
    cause: 'The path does not take this method. The board of queues is read-only unless `BOARD_WRITE` is 1.',
    cure: 'Use a method that the `Allow` header names.',
    retry: 'no',
  },
  sold_out: {
    status: 409,
    title: 'All units are taken',
    cause: 'No unit is free, and standby is full or the sale has none. Nothing about the buyer is stored.',
    cure: 'Tell the buyer. Units that are not paid in time come back, so a later click may win one.',
    retry: 'later',
  },
  unpaid_limit: {
    status: 409,
    title: 'Too many of your orders ended without payment',
    cause: "As many of the buyer's orders as `--unpaid-limit` allows ended without payment: unpaid, or cancelled.",
    cure: 'Tell the buyer: they get no unit until the sale ends. Payments that the provider failed do not count.',
    retry: 'no',
  },
  group_limit: {
    status: 409,
    title: 'Your group has its units',
    cause: "The buyer's group, such as a household, holds as many units of the sale as `--per-group` allows.",
    cure: 'Tell the buyer. A later click may win if a unit of the group is not paid.',
    retry: 'later',
  },
  others_first: {
    status: 409,
    title: 'The free units are for the others first',
    cause: 'An order of the buyer ended without payment, and units became free a few seconds ago.',
    cure: 'Repeat the request after `Retry-After` seconds: a unit that nobody else has taken is free for this buyer, too.',
    retry: 'after',
  },
  not_closed: {
    status: 409,
    title: 'The list is not closed yet',
    cause: 'Buyers may join until the opening. The list is closed and published within seconds after it.',
    cure: 'Repeat the request after `Retry-After` seconds.',
    retry: 'after',
  },
  not_payable: {
    status: 409,
    title: 'There is nothing to pay',
    cause: 'The buyer has no order in this sale that waits for its payment.',
    cure: 'Read `/order-status`. With `Retry-After` the order is not placed yet: pay again after that time.',
    retry: 'no',
  },
  not_cancellable: {
    status: 409,
    title: 'There is nothing to cancel',
    cause: 'The buyer is not on standby, and has no unpaid order in this sale.',
    cure: 'Read `/order-status`. A paid order is refunded by the operator, not cancelled.',
    retry: 'no',
  },
  not_refundable: {
    status: 409,
    title: 'There is nothing to give back',
    cause: 'Only a paid order can be refunded, and this order is not paid.',
    cure: 'Read `detail`: it names the status of the order.',
    retry: 'no',
  },
  changed_meanwhile: {
    status: 409,
    title: 'It was changed meanwhile',
    cause: 'Another operator changed the sale at the same time.',
    cure: 'Load the page of the sale again, then decide.',
    retry: 'no',
  },
  sale_closed: {
    status: 410,
    title: 'The sale is over',
    cause: 'The sale has reached its end, or the operator has closed it.',
    cure: 'Tell the buyer. Orders that exist can still be paid or cancelled.',
    retry: 'no',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    cause: 'The headers or the whole request did not arrive in time: the API waits for 5 s and 10 s.',
    cure: 'Repeat the request on a new connection: it cannot buy twice.',
    retry: 'later',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    cause: "The body is above the limit: 1,024 bytes for a buyer's call, 64 kB for an event.",
    cure: "Send a buyer's call without a body: none of them needs one.",
    retry: 'no',
  },
  foreign_host: {
    status: 421,
    title: 'This console has another name',
    cause: 'The `Host` of the request is neither an address, `localhost`, `ADMIN_HOST` nor in `ADMIN_HOSTS`.',
    cure: 'Use the address of the console, or add the name to `ADMIN_HOSTS`.',
    retry: 'no',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    cause: 'A buyer, a client or the crowd is faster than the limits allow. The console limits wrong tokens.',
    cure: 'Repeat the request after `Retry-After` seconds. Poll no earlier than `pollAfterMs` says.',
    retry: 'after',
  },
  too_soon: {
    status: 429,
    title: 'Another purchase was a short while ago, or is not finished',
    cause: 'A rule of the sale about one buyer applies: `detail` says which of the two.',
    cure: 'Repeat the request after `Retry-After` seconds.',
    retry: 'after',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    cause: 'The headers are above the limit of 8 kB.',
    cure: 'Send fewer or shorter cookies to this host.',
    retry: 'no',
  },
  internal: {
    status: 500,
    title: 'Something broke on our side',
    cause: 'Dropline has a defect, or a store refuses a command that Dropline needs.',
    cure: 'Repeat the request: it cannot buy twice. If it fails again, tell the operator when: the log says more.',
    retry: 'later',
  },
  overloaded: {
    status: 503,
    title: 'Too busy for the moment',
    cause: 'The API is overloaded, or the workers are minutes behind with placing the orders of this sale.',
    cure: 'Repeat the request after `Retry-After` seconds. It has done nothing; claims and orders that exist are kept.',
    retry: 'after',
  },
  unavailable: {
    status: 503,
    title: 'Not available for the moment',
    cause: 'A store or every API is away, or the sale was not verified since Redis started.',
    cure: 'Repeat the request after `Retry-After` seconds: it cannot buy twice.',
    retry: 'after',
  },
} as const satisfies Record<string, ProblemKind>;

/** The stable code of an error that a client can see. */
export type ProblemCode = keyof typeof PROBLEMS;

/** The optional fields of an error answer. */
export interface ProblemDetails {
  /** Advice about this very request, such as the part that is wrong. */
  detail?: string;
  /** Seconds after which a retry makes sense, for the header `Retry-After`. */
  retryAfterSeconds?: number;
  /** When the sale opens: ISO 8601 in UTC, for a sale that is not open yet. */
  opensAt?: string;
  /** When buyers may begin to join: the same, for a sale with a line before the opening. */
  joinsAt?: string;
}

/** Builds the JSON body of an error answer, a problem document (RFC 9457). */
export function problemBody(
  code: ProblemCode,
  details: ProblemDetails = {},
): Record<string, string | number | undefined> {
  const { status, title } = PROBLEMS[code];
  const { detail, opensAt, joinsAt } = details;
  return { type: `urn:dropline:problem:${code}`, title, status, code, detail, opensAt, joinsAt };
}

/** An error that already has its answer for the client. For other errors, core/http/problem-of.ts chooses the answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(details.detail ?? PROBLEMS[code].title);
    this.code = code;
    this.details = details;
  }
}

/** The sale is not loaded into Redis, or not compared with Postgres since Redis started. Nothing was done: retry later. */
export class NotVerified extends Error {
  override readonly name = 'NotVerified';
}

/** A call took longer than its time limit. The call may still succeed, so its outcome is unknown. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** Every error that a client can see, with its HTTP status and title. The codes are stable. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  bad_signature: { status: 400, title: 'The signature is not right, or too old' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  not_open: { status: 403, title: 'The sale is not open yet' },
  forbidden_origin: { status: 403, title: 'This page may not do that' },
  unknown_sale: { status: 404, title: 'There is no such sale' },
  unknown_provider: { status: 404, title: 'There is no such payment provider' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This method is not allowed here' },
  sold_out: { status: 409, title: 'All units are taken' },
  not_payable: { status: 409, title: 'There is nothing to pay' },
  not_cancellable: { status: 409, title: 'There is nothing to cancel' },
  not_refundable: { status: 409, title: 'There is nothing to give back' },
  changed_meanwhile: { status: 409, title: 'It was changed meanwhile' },
  sale_closed: { status: 410, title: 'The sale is over' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  body_too_large: { status: 413, title: 'The body is too large' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  too_soon: { status: 429, title: 'Another purchase was a short while ago, or is not finished' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something broke on our side' },
  unavailable: { status: 503, title: 'Not available for the moment' },
} as const satisfies Record<string, { status: number; title: string }>;

/** The stable code of a problem. */
export type ProblemCode = keyof typeof PROBLEMS;

/** The optional fields of a problem. */
export interface ProblemDetails {
  /** Advice for this caller. */
  detail?: string;
  /** Seconds after which a retry makes sense. */
  retryAfterSeconds?: number;
  /** When the sale opens: ISO 8601 in UTC. */
  opensAt?: string;
}

/** Builds the body of an error answer (RFC 9457). */
export function problemBody(
  code: ProblemCode,
  details: ProblemDetails = {},
): Record<string, string | number | undefined> {
  const { status, title } = PROBLEMS[code];
  const { detail, opensAt } = details;
  return { type: `urn:dropline:problem:${code}`, title, status, code, detail, opensAt };
}

/** An error that has an answer for the client. Every other error is answered as `internal`. */
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

/** The sale is not verified for this run of Redis, or not loaded. Nothing was done, and a later retry helps. */
export class NotVerified extends Error {
  override readonly name = 'NotVerified';
}

/** A call took longer than its limit. Its outcome is unknown. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

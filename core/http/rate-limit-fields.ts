/** A limit of requests that a client has exceeded. */
export interface ExceededLimit {
  /** The name of the limit, printable ASCII characters without quotation marks. */
  name: string;
  /** The requests that the limit lets through in one window. */
  quota: number;
  windowSeconds: number;
  /** The time until the limit lets the next request through, in s. */
  waitSeconds: number;
}

/**
 * Returns the fields `RateLimit-Policy` and `RateLimit` of a 429, after draft-ietf-httpapi-ratelimit-headers-11: the
 * quota `q` per window `w`, what remains of it (`r`), and the time until there is more (`t`), times in s.
 */
export function rateLimitFields({ name, quota, windowSeconds, waitSeconds }: ExceededLimit): Record<string, string> {
  return {
    'ratelimit-policy': `"${name}";q=${quota};w=${windowSeconds}`,
    ratelimit: `"${name}";r=0;t=${waitSeconds}`,
  };
}

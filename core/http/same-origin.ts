import type { IncomingHttpHeaders } from 'node:http';

/**
 * Tells whether a page of this very host sent the request, by `Sec-Fetch-Site` or `Origin`. Browsers send one of these
 * headers with every request except GET and HEAD.
 *
 * @returns undefined when neither header is present, as with clients that are not browsers
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean | undefined {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site === 'same-origin';
  if (origin === undefined) return undefined;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

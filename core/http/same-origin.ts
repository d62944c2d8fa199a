import type { IncomingHttpHeaders } from 'node:http';

/**
 * A browser says with every unsafe request which page has sent it; what says nothing comes from no browser.
 *
 * @param headers the request's
 * @returns whether a page of this very host has sent it; undefined when they don't say
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean | undefined {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site === 'same-origin';
  if (origin === undefined) return undefined;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

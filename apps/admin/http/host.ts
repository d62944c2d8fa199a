import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { Problem } from '#core/rules/errors.js';

/**
 * Refuses requests whose `Host` is a foreign name. Otherwise a page could let its own name resolve to this machine (DNS
 * rebinding), and its browser would take both for one origin. An address can't be resolved to another one, so every
 * address passes.
 *
 * @param names in lower case, besides `localhost`
 */
export function requireKnownHost(names: readonly string[]): RequestHandler {
  const known = new Set(['localhost', ...names]);
  return (req, _res, next) => {
    const name = nameOf(req.headers.host);
    if (isIP(name) || known.has(name)) return next();
    throw new Problem('foreign_host', { detail: 'the console is not known by this name: see ADMIN_HOSTS' });
  };
}

/** Returns the name in a Host header: in lower case, without the port and the brackets of IPv6. */
function nameOf(host = ''): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerMalformed } from '#core/http/malformed.js';
import { createApp } from './app.js';
import type { AdminContext } from './context.js';

/** Time limits of a request, in ms. The largest request is a form, so only a broken client needs longer. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 } as const;

/** About 30 operators, with a browser's six connections each. */
const CONNECTIONS_MAX = 200;

/** Answers in flight have this long when the process ends, in ms. */
const DRAIN_MS = 3_000;

/**
 * Starts the admin's server.
 *
 * @returns the listening server, and its port
 * @throws when another process has the port
 */
export async function startServer(ctx: AdminContext): Promise<{ server: Server; port: number }> {
  const server = answerMalformed(createServer(TIMEOUTS, createApp(ctx)));
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(ctx.config.ADMIN_PORT, ctx.config.ADMIN_HOST);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** Stops a server: answers in flight finish, and connections that outlast the drain are cut off. */
export async function stopServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

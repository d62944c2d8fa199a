import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerMalformed, demandHost } from '#core/http/malformed.js';
import { createApp } from './app.js';
import type { AdminContext } from './context.js';

/**
 * Node's time limits for receiving a request, in ms. The largest request is a form, so only a broken client needs
 * longer.
 */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 } as const;

/** The most connections that the admin accepts: about 30 operators, with a browser's six connections each. */
const CONNECTIONS_MAX = 200;

/** How long answers in flight may still take when the process ends, in ms. */
const DRAIN_MS = 3_000;

/**
 * Starts the admin's HTTP server.
 *
 * @returns the listening server, and its port
 * @throws when another process has the port
 */
export async function startServer(ctx: AdminContext): Promise<{ server: Server; port: number }> {
  const server = answerMalformed(createServer({ ...TIMEOUTS, requireHostHeader: false }, demandHost(createApp(ctx))));
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(ctx.config.ADMIN_PORT, ctx.config.ADMIN_HOST);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/**
 * Stops the admin's HTTP server. Answers in flight may finish within DRAIN_MS; connections that are then still open are
 * cut off.
 */
export async function stopServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

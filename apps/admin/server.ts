import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerMalformed } from '#core/http/malformed.js';
import { createApp } from './app.js';
import type { AdminContext } from './context.js';

/** Nobody sends the admin more than a form; a client that is slower than this is none, in ms. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 } as const;

/** A handful of operators, with a browser's six connections each. */
const CONNECTIONS_MAX = 200;

/** Answers under way have this long when the process ends, in ms. */
const DRAIN_MS = 3_000;

/**
 * @param ctx the admin's clients
 * @returns the server, listening, and its port
 * @throws when the address is taken
 */
export async function startServer(ctx: AdminContext): Promise<{ server: Server; port: number }> {
  const server = answerMalformed(createServer(TIMEOUTS, createApp(ctx)));
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(ctx.config.ADMIN_PORT, ctx.config.ADMIN_HOST);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** @param server takes no new connections, and cuts off who is still there after the drain */
export async function stopServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

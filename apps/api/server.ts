import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerMalformed } from '#core/http/malformed.js';
import { createApp } from './app.js';
import type { ApiContext } from './context.js';
import { buyListener } from './listeners/buy.js';
import type { FirstListener } from './listeners/first-listener.js';
import { orderStatusListener } from './listeners/order-status.js';

/**
 * Node's own limits let a slow client hold a connection for minutes. Ours come from measurements: with these no socket of a
 * slow-loris attack outlived its time. `keepAliveTimeout` is longer than what proxies keep an idle connection for (60 s),
 * so that it is never us who close one while a request is on its way.
 */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 8 * 1_024,
} as const;

/** One process has that many files open at most, each costs about 20 kB, and a proxy needs far fewer. */
const CONNECTIONS_MAX = 25_000;

/** How many connections may wait to be accepted, while a crowd arrives in one moment. */
const BACKLOG = 4_096;

const IDLE_CHECK_MS = 50;

/** A server that listens. */
export interface ApiServer {
  http: Server;
  /** The real one, also if any free port was asked for. */
  port: number;
}

/**
 * @param ctx the API's parts
 * @returns what answers before Express is asked: the calls that a whole crowd makes at once
 */
export function firstListener(ctx: ApiContext): FirstListener {
  const buy = buyListener(ctx);
  const orderStatus = orderStatusListener(ctx);
  return (req, res) => buy(req, res) || orderStatus(req, res);
}

function allListeners(ctx: ApiContext): RequestListener {
  const first = firstListener(ctx);
  const app = createApp(ctx);
  return (req, res) => {
    if (!first(req, res)) app(req, res);
  };
}

/**
 * Starts to answer.
 *
 * @param ctx the API's parts
 * @param listener answers every request
 * @returns the server
 * @throws when the address is taken
 */
export async function startServer(ctx: ApiContext, listener = allListeners(ctx)): Promise<ApiServer> {
  const http = answerMalformed(createServer({ ...LIMITS, ServerResponse: responseOf(ctx) }, listener));
  http.maxConnections = CONNECTIONS_MAX;
  http.listen({ port: ctx.config.PORT, host: ctx.config.HOST, backlog: BACKLOG });
  await once(http, 'listening');
  return { http, port: (http.address() as AddressInfo).port };
}

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** While the process ends, every answer says that its connection ends too, also to a request that came before. */
function responseOf(ctx: ApiContext): typeof ServerResponse<IncomingMessage> {
  return class extends ServerResponse {
    override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
      if (ctx.draining) this.shouldKeepAlive = false;
      return typeof reason === 'string' ? super.writeHead(status, reason, headers) : super.writeHead(status, reason);
    }
  };
}

/**
 * Accepts no more connections, answers those who wait for news, lets the other answers under way be finished, and cuts off whoever is left.
 *
 * @param ctx the API's parts
 * @param server from {@link startServer}
 * @param limitMs how long to wait, in ms
 */
export async function drain(ctx: ApiContext, { http }: ApiServer, limitMs: number): Promise<void> {
  ctx.draining = true;
  ctx.waiters.close();
  const cutOff = setTimeout(() => http.closeAllConnections(), limitMs);
  const idleCheck = setInterval(() => http.closeIdleConnections(), IDLE_CHECK_MS);
  await once(http.close(), 'close');
  clearInterval(idleCheck);
  clearTimeout(cutOff);
}

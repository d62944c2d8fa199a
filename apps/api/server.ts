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
import type { AddressInfo, Socket } from 'node:net';
import { answerMalformed, demandHost } from '#core/http/malformed.js';
import { createApp } from './app.js';
import type { ApiContext } from './context.js';
import { refusesPipelined, requestBegan, requestEnded } from './http/pipelining.js';
import { createBuyListener } from './listeners/buy.js';
import type { FirstListener } from './listeners/first-listener.js';
import { createOrderLimitListener } from './listeners/order-limit.js';
import { createOrderStatusListener } from './listeners/order-status.js';
import { createPassListener } from './listeners/pass.js';
import { createWaitListener } from './listeners/wait.js';

/**
 * Limits on slow clients in ms and bytes, as Node's defaults let them hold a connection for minutes. No socket of a
 * measured slow-loris attack outlived these limits. `keepAliveTimeout` is longer than the 60 s for which proxies keep
 * an idle connection. So the API never closes a connection on which a proxy is sending a request.
 */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 8 * 1_024,
} as const;

/** The most client connections of one process. Each costs about 20 kB and an open file, and a proxy needs far fewer. */
const CONNECTIONS_MAX = 25_000;

/** The most connections that may wait for the process to accept them, when a crowd arrives at once. */
const BACKLOG = 4_096;

const IDLE_CHECK_MS = 50;

/** The HTTP server of the API, listening. */
export interface ApiServer {
  http: Server;
  /** The port on which the server listens, also when the setting PORT is 0. */
  port: number;
}

/**
 * Creates the listener for the calls that a whole crowd makes at once: buying, polling and waiting. It also refuses
 * floods of calls to pay and to cancel, and gives passes. The server tries it before Express.
 */
export function createFirstListener(ctx: ApiContext): FirstListener {
  const buy = createBuyListener(ctx);
  const orderStatus = createOrderStatusListener(ctx);
  const wait = createWaitListener(ctx);
  const orderLimit = createOrderLimitListener(ctx);
  const pass = createPassListener(ctx);
  return (req, res) =>
    buy(req, res) || orderStatus(req, res) || wait(req, res) || orderLimit(req, res) || pass(req, res);
}

function createListener(ctx: ApiContext): RequestListener {
  const first = createFirstListener(ctx);
  const app = createApp(ctx);
  return (req, res) => {
    if (!first(req, res)) app(req, res);
  };
}

/**
 * Starts the HTTP server of the API.
 *
 * @param listener answers every request
 * @throws when the address is taken
 */
export async function startServer(ctx: ApiContext, listener = createListener(ctx)): Promise<ApiServer> {
  const options = { ...LIMITS, requireHostHeader: false, ServerResponse: responseOf(ctx) };
  const bounded: RequestListener = (req, res) => refusesPipelined(req, res) || listener(req, res);
  const http = answerMalformed(createServer(options, demandHost(bounded)));
  http.maxConnections = CONNECTIONS_MAX;
  http.listen({ port: ctx.config.PORT, host: ctx.config.HOST, backlog: BACKLOG });
  await once(http, 'listening');
  return { http, port: (http.address() as AddressInfo).port };
}

/** Node calls this method once the answer is complete, and the next one on the connection may be sent. */
function detachAndCount(this: ServerResponse, socket: Socket): void {
  ServerResponse.prototype.detachSocket.call(this, socket);
  requestEnded(socket);
}

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Returns a class of HTTP responses that count themselves on their connection, and close it while the process shuts
 * down.
 */
function responseOf(ctx: ApiContext): typeof ServerResponse<IncomingMessage> {
  return class extends ServerResponse {
    constructor(...args: ConstructorParameters<typeof ServerResponse<IncomingMessage>>) {
      super(...args);
      requestBegan(this.req.socket);
      // An own property, as Express replaces the prototype of each response that it gets.
      this.detachSocket = detachAndCount;
    }

    override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
      if (ctx.draining) this.shouldKeepAlive = false;
      return typeof reason === 'string' ? super.writeHead(status, reason, headers) : super.writeHead(status, reason);
    }
  };
}

/**
 * Stops the HTTP server. It accepts no more connections, answers the requests that wait for news, and finishes the
 * answers in flight. Connections that are left after the limit are cut off.
 *
 * @param limitMs the time after which connections are cut off, in ms
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

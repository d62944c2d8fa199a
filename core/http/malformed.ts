import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { problemSent } from '../process/telemetry.js';
import { PROBLEMS, type ProblemCode, problemBody } from '../rules/errors.js';

const PARSER_PROBLEMS: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/**
 * Makes a server answer malformed requests with a problem document (RFC 9457). Without this, Node sends an empty status
 * or closes the socket.
 */
export function answerMalformed(server: Server): Server {
  server.on('clientError', answerClientError);
  // This server is no proxy, so a CONNECT request gets 405. Without this handler, Node closes the connection without an
  // answer.
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => endWith(socket, 'method_not_allowed', 'Allow: GET'));
  // An unknown `Expect` header may be ignored (RFC 9110, 10.1.1), so the request is handled as if it had none.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  server.on('checkContinue', (req, res) => {
    askForBody(res);
    server.emit('request', req, res);
  });
  return server;
}

/**
 * Sends `100 Continue` once the earlier requests of the connection are answered, and not at all if the answer is ready
 * by then. Left alone, Node queues it with the answer, and puts the head of an answer in bytes before it: the client
 * then takes `100 Continue` for the beginning of the body.
 */
function askForBody(res: ServerResponse): void {
  if (res.socket) res.writeContinue();
  else res.once('socket', () => res.headersSent || res.writeContinue());
}

/**
 * Turns a listener into one that answers 400 to a request of HTTP/1.1 without the header `Host` (RFC 9112, 3.2). Its
 * server needs `requireHostHeader: false`, as Node would answer with an empty body.
 */
export function demandHost(listener: RequestListener): RequestListener {
  return (req, res) => {
    if (req.headers.host !== undefined || req.httpVersion !== '1.1') return listener(req, res);
    problemSent('invalid_request');
    const { status } = PROBLEMS.invalid_request;
    const text = JSON.stringify(problemBody('invalid_request', { detail: 'the header Host is missing' }));
    res.writeHead(status, { ...headersOf(text), Connection: 'close' }).end(text);
  };
}

function headersOf(text: string): Record<string, string | number> {
  return {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
  };
}

/** Answers on the bare socket: bytes that are not HTTP, or a request that never ends, give no request object. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  endWith(socket, PARSER_PROBLEMS[error.code ?? ''] ?? 'invalid_request');
}

function endWith(socket: Duplex, code: ProblemCode, ...headers: string[]): void {
  problemSent(code);
  const { status } = PROBLEMS[code];
  const text = JSON.stringify(problemBody(code));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headersOf(text)).map(([name, value]) => `${name}: ${value}`),
    ...headers,
    'Connection: close',
  ];
  // The client may have closed the connection already. Then writing fails, and nobody waits for the answer.
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

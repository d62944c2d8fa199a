import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { problemSent } from '../process/telemetry.js';
import { PROBLEMS, type ProblemCode, problemBody } from '../rules/errors.js';

const PARSER_PROBLEMS: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers malformed requests with a problem document. Node alone would send an empty status or close the socket. */
export function answerMalformed(server: Server): Server {
  server.on('clientError', answerClientError);
  // This server is no proxy. Node would close the connection of a CONNECT without an answer.
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => endWith(socket, 'method_not_allowed', 'Allow: GET'));
  // A server may ignore an unknown expectation (RFC 9110, 10.1.1).
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  return server;
}

/** Bytes that are not HTTP, or that never end, make no request: only the socket can be answered. */
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
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'X-Content-Type-Options: nosniff',
    ...headers,
    'Connection: close',
  ];
  // The client may have left already, which makes the answer a no-op.
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { problemSent } from '../process/telemetry.js';
import { PROBLEMS, type ProblemCode, problemBody } from '../rules/errors.js';

const PARSER_PROBLEMS: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/**
 * Has a server answer with a problem, like to everything else, what Node would answer without a body or not at all.
 *
 * @param server any server of ours
 * @returns the same server
 */
export function answerMalformed(server: Server): Server {
  server.on('clientError', answerClientError);
  // We are no proxy. Node would close the connection without a word.
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => endWith(socket, 'method_not_allowed', 'Allow: GET'));
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1).
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  return server;
}

/** What isn't HTTP, or never comes to its end, has no request to answer: only the socket is left. */
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
  // It may be gone already: there is nobody to tell.
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

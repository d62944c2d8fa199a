import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const CONTENT_LENGTH = /content-length: (\d+)/gi;
/** The offset of the status in `HTTP/1.1 200 OK`. */
const STATUS_AT = 9;

/** Receives the statuses of the answers that one read brought. */
export type OnAnswers = (socket: Socket, statuses: string[]) => void;

/**
 * Connects to a server under test on 127.0.0.1. The reader knows only the HTTP that these servers send: a status line,
 * Content-Length, no chunks. Anything else breaks the connection.
 *
 * @param onLost called when the connection breaks
 * @returns the open socket
 */
export async function connectTo(port: number, onAnswers: OnAnswers, onLost: (error: Error) => void): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  let rest = '';
  socket.on('data', chunk => {
    try {
      const { statuses, rest: left } = readAnswers(rest + chunk.toString('latin1'));
      rest = left;
      if (statuses.length > 0) onAnswers(socket, statuses);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on('error', onLost);
  socket.on('close', () => onLost(new Error('the server closed a connection of the load generator')));
  return socket;
}

/**
 * Splits received text into answers.
 *
 * @param text latin1
 * @returns the statuses of the complete answers, and the rest: the beginning of an incomplete answer
 * @throws Error when Content-Length is missing
 */
export function readAnswers(text: string): { statuses: string[]; rest: string } {
  const statuses: string[] = [];
  let start = 0;
  for (;;) {
    const headEnd = text.indexOf(HEAD_END, start);
    if (headEnd === -1) break;
    const status = text.slice(start + STATUS_AT, start + STATUS_AT + 3);
    const end = headEnd + HEAD_END.length + (status === '304' ? 0 : bodyLength(text, start, headEnd));
    if (end > text.length) break;
    statuses.push(status);
    start = end;
  }
  return { statuses, rest: text.slice(start) };
}

function bodyLength(text: string, start: number, headEnd: number): number {
  CONTENT_LENGTH.lastIndex = start;
  const found = CONTENT_LENGTH.exec(text);
  if (!found || found.index > headEnd)
    throw new Error(`an answer without Content-Length: ${text.slice(start, headEnd)}`);
  return Number(found[1]);
}

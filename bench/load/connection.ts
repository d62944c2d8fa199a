import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const CONTENT_LENGTH = /content-length: (\d+)/gi;
/** Where the status stands in `HTTP/1.1 200 OK`. */
const STATUS_AT = 9;

/** A connection that counts answers. */
export interface Connection {
  readonly socket: Socket;
  /** Requests sent and not answered yet. */
  unanswered: number;
}

/** Told of the answers that one read brought, by status. */
export type OnAnswers = (connection: Connection, statuses: string[]) => void;

/**
 * Opens a connection over which requests are sent in one piece and answers are only counted: it knows of HTTP what the
 * servers under test use (a status line, Content-Length, no chunks), and fails on anything else.
 *
 * @param port of the server, on 127.0.0.1
 * @param onAnswers told of answers as they come
 * @param onLost told once when the connection broke
 * @returns the connection, open
 */
export async function openConnection(
  port: number,
  onAnswers: OnAnswers,
  onLost: (error: Error) => void,
): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const connection: Connection = { socket, unanswered: 0 };
  let rest = '';
  socket.on('data', chunk => {
    try {
      const { statuses, rest: left } = readAnswers(rest + chunk.toString('latin1'));
      rest = left;
      connection.unanswered -= statuses.length;
      if (statuses.length > 0) onAnswers(connection, statuses);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on('error', onLost);
  socket.on('close', () => onLost(new Error('the server closed a connection of the load generator')));
  return connection;
}

/**
 * @param text what came, latin1
 * @returns the statuses of the whole answers in it, and what is left of an answer that is not whole yet
 * @throws Error when it isn't HTTP, or has no Content-Length where there must be one
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

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request, or leaves it without an answer. */
export type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** A server in place of an API. It writes down what arrives, and answers as a test wants. */
export interface Recorder {
  /** Host and port. */
  host: string;
  /** The requests so far. */
  arrived: IncomingMessage[];
  /** How often something arrived that is no request. */
  malformed: number;
  /** Answers each request; with an empty body until a test changes it. */
  answer: Answer;
  stop(): Promise<void>;
}

/** Answers with an empty body. */
export const empty: Answer = (_, res) => void res.end();

/** Ends the connection instead of an answer, as an API does that dies. */
export const die: Answer = req => void req.socket.destroy();

/** Answers with a status, headers and a body. */
export const say =
  (status: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_, res) =>
    void res.writeHead(status, headers).end(body);

/** Answers the first request in one way, and the others in another way. */
export function first(once: Answer, then: Answer): Answer {
  let count = 0;
  return (req, res) => {
    count += 1;
    (count === 1 ? once : then)(req, res);
  };
}

/** Starts a recorder on a free port. */
export async function startRecorder(): Promise<Recorder> {
  const arrived: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    arrived.push(req);
    recorder.answer(req, res);
  });
  server.on('clientError', (_, socket) => {
    recorder.malformed += 1;
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const recorder: Recorder = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    malformed: 0,
    answer: empty,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
  return recorder;
}

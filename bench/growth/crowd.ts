import { connect, type Socket } from 'node:net';
import { until } from '#stack/processes/until.js';
import { createTokens } from '../load/requests.js';

/** Connections that are opened at once: as many as nginx allows one address (nginx/nginx.conf). */
const WAVE = 200;
const ANSWERED_WITHIN_MS = 30_000;
/** A process that has just started may be too busy for a moment, and say so. Then a buyer asks again, in ms. */
const AGAIN_MS = 1_000;
const READ_BYTES = 16 * 1_024;

/** A crowd, and the request that each of its connections sends once. */
export interface Crowd {
  port: number;
  saleId: string;
  secret: string;
  /** The number of buyers, each with a connection of their own. */
  size: number;
  /** Headers that each request has besides host and token, such as `Accept: text/event-stream\r\n`. */
  headers: string;
}

/** Keep-alive connections of as many buyers, each of which asked for its order's status once. */
export class CrowdConnections {
  /** When the text came that {@link follow} looks for, by `performance.now()`, in ms. */
  readonly heardAtMs: number[] = [];
  readonly #sockets: Socket[] = [];
  /** All connections read into one buffer, as the crowd shares the machine with the API. */
  readonly #bytes = Buffer.allocUnsafe(READ_BYTES);
  #answered = 0;
  /** The last answer without a status. */
  #odd = 'nothing';
  #text: string | undefined;

  /**
   * Opens the connections in waves, and waits for the beginning of each answer.
   *
   * @throws Error when an answer has no status to say
   */
  async open({ port, saleId, secret, size, headers }: Crowd): Promise<void> {
    const tokens = createTokens(secret);
    for (let opened = 0; opened < size; opened += WAVE) {
      const end = Math.min(size, opened + WAVE);
      for (let i = opened; i < end; i += 1) {
        this.#connect(
          port,
          `GET /order-status/${saleId} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}Authorization: Bearer ${tokens.of(i)}\r\n\r\n`,
        );
      }
      if (!(await until(() => this.#answered >= end, ANSWERED_WITHIN_MS)))
        throw new Error(`${this.#answered} of ${end} buyers got their status; another got ${this.#odd}`);
    }
  }

  /** Notes from now on when each connection receives a text. */
  follow(text: string): void {
    this.#text = text;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(port: number, request: string): void {
    let isAnswered = false;
    const read = (count: number, bytes: Buffer) => {
      const text = bytes.toString('latin1', 0, count);
      if (this.#text !== undefined && text.includes(this.#text)) this.heardAtMs.push(performance.now());
      if (isAnswered) return true;
      isAnswered = text.includes('"status":"');
      if (isAnswered) this.#answered += 1;
      else {
        this.#odd = text;
        setTimeout(() => socket.write(request), AGAIN_MS);
      }
      return true;
    };
    const socket = connect({
      host: '127.0.0.1',
      port,
      onread: { buffer: this.#bytes, callback: (count, bytes) => read(count, bytes as Buffer) },
    });
    socket.on('error', () => undefined);
    socket.write(request);
    this.#sockets.push(socket);
  }
}

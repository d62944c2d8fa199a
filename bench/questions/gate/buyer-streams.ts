import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { withDeadline } from '#core/rules/clock.js';
import { until } from '#stack/processes/until.js';
import { createTokens } from '../../load/requests.js';

const ANSWERED_WITHIN_MS = 10_000;
/** How long the API may take to end the streams that it has replaced. */
const ENDED_WITHIN_MS = 2_000;
/** The number of the buyer of all streams. */
const BUYER = 0;

/** The address of an API's stream of an order's status, and the secret that signs tokens. */
export interface StreamedSale {
  port: number;
  saleId: string;
  secret: string;
}

/** The event streams that one buyer has opened at one API, each on a connection of its own. */
export class BuyerStreams {
  readonly #port: number;
  readonly #request: string;
  readonly #standing = new Set<Socket>();
  #statuses = 0;

  constructor({ port, saleId, secret }: StreamedSale) {
    this.#port = port;
    this.#request =
      `GET /order-status/${saleId} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n` +
      `Connection: close\r\nAuthorization: Bearer ${createTokens(secret).of(BUYER)}\r\n\r\n`;
  }

  /** The number of streams that the API has not ended. */
  get standing(): number {
    return this.#standing.size;
  }

  /** The number of statuses that have arrived, of all streams together. */
  get statuses(): number {
    return this.#statuses;
  }

  /**
   * Opens streams at once, and waits until each has begun.
   *
   * @throws Error when one gets no event stream, and DeadlineExceeded after 10 s
   */
  async open(count: number): Promise<void> {
    const begun = Promise.all(Array.from({ length: count }, () => this.#open()));
    await withDeadline(begun, ANSWERED_WITHIN_MS, `opening ${count} streams`);
  }

  /** Waits until no more than `most` streams stand, or for 2 s. */
  async untilAtMost(most: number): Promise<void> {
    await until(() => this.standing <= most, ENDED_WITHIN_MS);
  }

  close(): void {
    for (const socket of this.#standing) socket.destroy();
  }

  async #open(): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#port });
    this.#standing.add(socket);
    socket.on('close', () => this.#standing.delete(socket));
    socket.on('data', chunk => {
      if (chunk.includes('event: status')) this.#statuses += 1;
    });
    socket.write(this.#request);
    const [head] = await once(socket, 'data');
    if (!String(head).startsWith('HTTP/1.1 200')) throw new Error(`a stream got ${String(head).split('\r\n')[0]}`);
  }
}

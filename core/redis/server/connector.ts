import { createConnection, Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { HostAndPort } from '../../values/redis-address.js';

/** Where a server listens: a port, or the file of a socket. */
export type ServerAddress = HostAndPort | { path: string };

/** Tells whether two addresses are the same. */
export function isSameAddress(a: ServerAddress, b: ServerAddress): boolean {
  if ('path' in a || 'path' in b) return 'path' in a && 'path' in b && a.path === b.path;
  return a.host === b.host && a.port === b.port;
}

/**
 * How long a connection that is given up may still send what was written, in ms. A server that hangs never confirms the end,
 * and the next connection waits for it.
 */
const LINGER_MS = 200;

/** Knows where the server is that a connection needs. */
export interface Locator {
  /**
   * Says in words that another server has become the right one, which may happen while the connection is good. Then the locator is
   * asked regularly. Undefined when that never happens.
   */
  readonly movedReason: string | undefined;
  /**
   * Finds the address of the server.
   *
   * @throws an error that says why there is none at the moment
   */
  locate(): Promise<ServerAddress>;
  close(): void;
}

/** The server that connections of this process look for. */
export interface Wanted {
  readonly tls: ConnectionOptions | undefined;
  /** Finds the address of the server. */
  locate(): Promise<ServerAddress>;
  /**
   * Judges a server that answers.
   *
   * @param info the fields of its INFO
   * @returns the reason to leave it
   */
  objection(info: Readonly<Record<string, string>>): Error | undefined;
  /** Receives each connection that was opened. */
  opened(connector: PrimaryConnector): void;
}

/**
 * Opens the sockets of one client of ioredis. ioredis asks {@link check} about each server before it sends a command. It
 * tries again after a refusal, as after a failed connection.
 */
export class PrimaryConnector extends AbstractConnector {
  readonly #wanted: Wanted;
  #address: ServerAddress | undefined;
  #tell: ((type: string, error: Error) => void) | undefined;

  constructor(wanted: Wanted) {
    super(LINGER_MS);
    this.#wanted = wanted;
  }

  override async connect(tell: (type: string, error: Error) => void): Promise<Socket | TLSSocket> {
    this.connecting = true;
    this.#tell = tell;
    this.stream = await this.#open();
    this.#wanted.opened(this);
    return this.stream;
  }

  override check(info: Readonly<Record<string, string>>): boolean {
    const objection = this.#wanted.objection(info);
    if (objection) this.#tell?.('error', objection);
    return !objection;
  }

  /** Tells whether the socket is open, or still being opened. */
  get isOpen(): boolean {
    return !this.stream.destroyed;
  }

  /** Tells whether this connection leads, or last led, to another address. */
  isElsewhere(address: ServerAddress): boolean {
    return this.#address !== undefined && !isSameAddress(this.#address, address);
  }

  /** Closes the connection at once. ioredis opens another one. */
  leave(reason: Error): void {
    this.stream.destroy(reason);
  }

  /** ioredis ends a client for good when its connector throws. So a failure is a socket that is already closed. */
  async #open(): Promise<Socket | TLSSocket> {
    try {
      this.#address = await this.#wanted.locate();
      if (!this.connecting) throw new Error('Connection is closed.');
      const { tls } = this.#wanted;
      const socket = tls ? connect({ ...this.#address, ...tls }) : createConnection(this.#address);
      socket.once('error', error => {
        this.firstError = error;
      });
      return socket;
    } catch (error) {
      this.firstError = error as Error;
      return new Socket().destroy();
    }
  }
}

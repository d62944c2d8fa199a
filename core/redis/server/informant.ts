import { Redis } from 'ioredis';
import type { HostAndPort } from '../../values/redis-address.js';
import type { RedisTarget } from './target.js';

/** Time limit for an answer, in ms. An informant answers within some ms, and a dead one must not delay the way to the primary for long. */
const ANSWER_MS = 500;

/** ioredis's message for a question over a connection that could not be made. Only the client hears why. */
const UNTOLD = /^Reached the max retries/;

/** A server that is asked where another one is: a Sentinel, or a node of a Redis Cluster. */
export class Informant {
  readonly address: HostAndPort;
  readonly #client: Redis;
  #lastError: Error | undefined;

  /** Connects with the first question. */
  constructor(address: HostAndPort, { tls, username, password }: Pick<RedisTarget, 'tls' | 'username' | 'password'>) {
    this.address = address;
    this.#client = new Redis({
      ...address,
      lazyConnect: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      connectTimeout: ANSWER_MS,
      commandTimeout: ANSWER_MS,
      socketTimeout: 2 * ANSWER_MS,
      disconnectTimeout: ANSWER_MS,
      retryStrategy: () => ANSWER_MS,
      ...(tls ? { tls } : {}),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    this.#client.on('error', error => {
      this.#lastError = error;
    });
  }

  /**
   * Asks the server something.
   *
   * @throws ioredis's error, or the reason for which the connection could not be made
   */
  async ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    try {
      return await question(this.#client);
    } catch (error) {
      throw UNTOLD.test((error as Error).message) ? (this.#lastError ?? error) : error;
    }
  }

  close(): void {
    this.#client.disconnect();
  }
}

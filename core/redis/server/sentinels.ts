import { Redis } from 'ioredis';
import type { HostAndPort } from '../../values/redis-address.js';
import type { Locator } from './connector.js';
import type { RedisTarget } from './target.js';

/**
 * Time limit for an answer of a Sentinel, in ms. A Sentinel answers within some ms, and a dead one must not delay the way
 * to the primary for long.
 */
const ANSWER_MS = 500;

/** ioredis's message for a question over a connection that could not be made. */
const UNTOLD = /^Reached the max retries/;

/** The primary as one Sentinel knows it. */
interface Nomination {
  primary: HostAndPort;
  /** Counts the failovers. The Sentinel with the highest epoch knows of the last one. */
  epoch: number;
}

/** The Sentinels that watch a Redis. */
export class Sentinels implements Locator {
  readonly movedReason = 'Sentinel names another primary';
  readonly #name: string;
  readonly #clients: Redis[];
  /** The reason for which a connection was not made or was lost, the last time. */
  #lastError: Error | undefined;

  /** Connects to no Sentinel yet: the first question does. */
  constructor(name: string, sentinels: readonly HostAndPort[], { tls, sentinelPassword }: RedisTarget) {
    this.#name = name;
    this.#clients = sentinels.map(({ host, port }) => {
      const client = new Redis({
        host,
        port,
        lazyConnect: true,
        enableReadyCheck: false,
        maxRetriesPerRequest: 0,
        connectTimeout: ANSWER_MS,
        commandTimeout: ANSWER_MS,
        socketTimeout: 2 * ANSWER_MS,
        disconnectTimeout: ANSWER_MS,
        retryStrategy: () => ANSWER_MS,
        ...(tls ? { tls } : {}),
        ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
      });
      // The question that fails does not say why the connection could not be made.
      client.on('error', error => {
        this.#lastError = error;
      });
      return client;
    });
  }

  /**
   * Asks all Sentinels where the primary is. The one that knows of the last failover is right: a Sentinel that was cut off
   * still names the primary before it.
   *
   * @throws the error of a Sentinel when none names a primary
   */
  async locate(): Promise<HostAndPort> {
    const answers = await Promise.allSettled(this.#clients.map(client => this.#ask(client)));
    const nominations = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
    const [last] = nominations.sort((a, b) => b.epoch - a.epoch);
    if (last) return last.primary;
    const reasons = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason] : []));
    const told = (reasons as Error[]).find(({ message }) => !UNTOLD.test(message));
    throw new Error(
      `no Sentinel names a primary ${this.#name}: ${(told ?? this.#lastError ?? (reasons[0] as Error)).message}`,
    );
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
  }

  async #ask(client: Redis): Promise<Nomination> {
    // While a failover ends, only the second answer has the new address already.
    const [fields, address] = await Promise.all([
      client.call('SENTINEL', 'MASTER', this.#name) as Promise<string[]>,
      client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#name) as Promise<[string, string] | null>,
    ]);
    if (!address) throw new Error(`unknown primary ${this.#name}`);
    const epoch = Number(fields[fields.indexOf('config-epoch') + 1]);
    return { primary: { host: address[0], port: Number(address[1]) }, epoch };
  }
}

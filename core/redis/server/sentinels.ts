import type { Redis } from 'ioredis';
import type { HostAndPort } from '../../values/redis-address.js';
import type { Locator } from './connector.js';
import { Informant } from './informant.js';
import type { RedisTarget } from './target.js';

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
  readonly #sentinels: Informant[];

  /** Connects to no Sentinel yet: the first question does. */
  constructor(name: string, sentinels: readonly HostAndPort[], { tls, sentinelPassword }: RedisTarget) {
    this.#name = name;
    const credentials = { tls, ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }) };
    this.#sentinels = sentinels.map(address => new Informant(address, credentials));
  }

  /**
   * Asks all Sentinels where the primary is. The one that knows of the last failover is right: a Sentinel that was cut off
   * still names the primary before it.
   *
   * @throws the error of a Sentinel when none names a primary
   */
  async locate(): Promise<HostAndPort> {
    const answers = await Promise.allSettled(
      this.#sentinels.map(sentinel => sentinel.ask(client => this.#ask(client))),
    );
    const nominations = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
    const [last] = nominations.sort((a, b) => b.epoch - a.epoch);
    if (last) return last.primary;
    const reasons = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason] : []));
    throw new Error(`no Sentinel names a primary ${this.#name}: ${(reasons[0] as Error).message}`);
  }

  close(): void {
    for (const sentinel of this.#sentinels) sentinel.close();
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

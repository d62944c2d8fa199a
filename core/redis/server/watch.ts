import { ConfigError } from '../../process/config.js';
import type { Redis } from '../shards.js';
import { type Locator, PrimaryConnector, type ServerAddress, type Wanted } from './connector.js';
import { nameOf, type RedisTarget } from './target.js';

/** How often a connection checks whether it still leads to the primary, in ms. /readyz must tell the truth within 2 s. */
const LOOK_EVERY_MS = 500;

/**
 * Replies of a server that is no primary any more, loads the data of another one, or has given a slot away. The connection stays
 * good, so nothing but these replies shows it.
 */
const NO_PRIMARY = /^(READONLY|MASTERDOWN|LOADING|MOVED|CLUSTERDOWN)\b/;

/** A command without an answer in time. Any other error is an answer, or the end of the connection. */
const isTimeOut = (error: Error): boolean => error.message === 'Command timed out';

/** Errors of a SELECT that failed. ioredis would continue in database 0. */
const isFailedSelect = (error: Error & { command?: { name?: string } }): boolean => error.command?.name === 'select';

/**
 * Keeps a client and its duplicates on the primary. A server that was demoted, hangs, or is not the one that the Sentinels
 * name is left, and the address is asked again. The old primary may still answer OK to writes that are thrown away.
 */
export class ServerWatch implements Wanted {
  readonly tls;
  readonly #target: RedisTarget;
  readonly #locator: Locator;
  readonly #connectors = new Set<PrimaryConnector>();
  #hasNoDatabase = false;
  #isLocating = false;

  /** Finds the primary. {@link watch} begins to check that a client stays on it. */
  constructor(target: RedisTarget, locator: Locator) {
    this.tls = target.tls;
    this.#target = target;
    this.#locator = locator;
  }

  /** The class of which ioredis makes a connector for a client, and one for each of its duplicates. */
  get Connector() {
    const wanted: Wanted = this;
    return class extends PrimaryConnector {
      constructor() {
        super(wanted);
      }
    };
  }

  locate(): Promise<ServerAddress> {
    return this.#locator.locate();
  }

  objection({ role }: Readonly<Record<string, string>>): Error | undefined {
    if (this.#hasNoDatabase) {
      const { db } = this.#target;
      return new ConfigError(
        `REDIS_URL names database ${db}, which the Redis at ${nameOf(this.#target)} does not have`,
      );
    }
    // A Redis user without the right to INFO sees no role.
    return role === 'slave' ? new Error(`READONLY: the Redis at ${nameOf(this.#target)} is a replica`) : undefined;
  }

  opened(connector: PrimaryConnector): void {
    for (const other of this.#connectors) if (!other.isOpen) this.#connectors.delete(other);
    this.#connectors.add(connector);
  }

  /** Receives every error reply. */
  heard(error: Error): void {
    if (NO_PRIMARY.test(error.message)) this.#leave(error);
  }

  /**
   * Begins to check that a client stays on the primary, until the client is closed.
   *
   * @param silentMs a server that answers nothing for this long is left, in ms
   */
  watch(redis: Redis, silentMs: number): void {
    let unansweredMs = 0;
    let asking = false;
    const ask = async () => {
      asking = true;
      const isSilent = await this.#ask(redis).then(
        () => false,
        error => isTimeOut(error),
      );
      asking = false;
      if (!isSilent) unansweredMs = 0;
    };
    // The time is counted in looks, as a process that was stopped has looked at nothing meanwhile.
    const timer = setInterval(() => {
      if (redis.status === 'ready' || redis.status === 'connect') unansweredMs += LOOK_EVERY_MS;
      else unansweredMs = 0;
      if (unansweredMs > silentMs) {
        unansweredMs = 0;
        this.#leave(new Error(`Socket closed: Redis did not answer for ${silentMs} ms`));
      } else if (!asking && redis.status === 'ready') void ask();
      void this.#followLocator();
    }, LOOK_EVERY_MS).unref();
    redis.on('error', error => {
      if (isFailedSelect(error)) this.#hasNoDatabase = true;
    });
    redis.on('connecting', () => {
      this.#hasNoDatabase = false;
    });
    const close = () => {
      clearInterval(timer);
      this.#locator.close();
    };
    redis.once('end', close);
    // A client that is closed while it waits to reconnect emits no 'end'.
    const { disconnect } = redis;
    redis.disconnect = reconnect => {
      if (!reconnect) close();
      disconnect.call(redis, reconnect);
    };
  }

  /** Leaves a server that has become a replica. One of a cluster refuses the key of its bucket then, and once it has lost the slot. */
  async #ask(redis: Redis): Promise<void> {
    if (redis.isOfCluster) return void (await redis.exists(...redis.guards));
    const info = await redis.info('replication');
    if (info.includes('role:slave')) this.#leave(new Error('READONLY: Redis has become a replica'));
  }

  /** Leaves every server but the one that is now the right one. One that is frozen answers nothing, and is left as well. */
  async #followLocator(): Promise<void> {
    const { movedReason } = this.#locator;
    if (movedReason === undefined || this.#isLocating) return;
    this.#isLocating = true;
    const address = await this.#locator.locate().catch(() => undefined);
    this.#isLocating = false;
    if (!address) return;
    for (const connector of this.#connectors) {
      if (connector.isElsewhere(address)) connector.leave(new Error(`Socket closed: ${movedReason}`));
    }
  }

  #leave(reason: Error): void {
    for (const connector of this.#connectors) connector.leave(reason);
  }
}

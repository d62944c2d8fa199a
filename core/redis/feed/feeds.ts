import type { Redis } from '../connection.js';
import type { Shards } from '../shards.js';
import { Feed } from './feed.js';
import type { Listener } from './followed-sale.js';

/** Receives the changes of sales from all servers of Redis, each over a connection of its own. A server that is away makes only its own feed deaf. */
export class Feeds implements Pick<Feed, 'follow' | 'hears' | 'close'> {
  readonly #subscribers: Shards;
  readonly #redis: Shards;
  readonly #feeds: ReadonlyMap<Redis, Feed>;

  /**
   * Starts the feed of each server.
   *
   * @param subscribers connections with the profile `feed`, for this purpose only
   * @param redis other connections to the same servers with the scripts, for reading the counts and asking for changes
   * @param onError receives the errors of unreadable messages and of failed calls to Redis
   */
  constructor(subscribers: Shards, redis: Shards, onError: (error: Error) => void) {
    this.#subscribers = subscribers;
    this.#redis = redis;
    this.#feeds = new Map(
      redis.shards.map((server, i) => [server, new Feed(subscribers.shards[i] as Redis, server, onError)]),
    );
  }

  follow(saleId: string, listener: Listener): () => void {
    return this.#of(saleId).follow(saleId, listener);
  }

  hears(saleId: string): boolean {
    return this.#of(saleId).hears(saleId);
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#subscribers.disconnect();
  }

  #of(saleId: string): Feed {
    return this.#feeds.get(this.#redis.of(saleId)) as Feed;
  }
}

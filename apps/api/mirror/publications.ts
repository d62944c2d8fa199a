import { LRUCache } from 'lru-cache';
import { Chunk, Directory } from '#core/draw/list.js';
import { readAbout, readChunk, readDirectory } from '#core/redis/draw/publication.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { NotVerified } from '#core/rules/errors.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/** The facts of a draw may be cached for 1 s, so no process reads them more often. */
const FACTS_AGE_MAX_MS = SECOND_MS;
const DRAWS_MAX = 1_000;

/** The lists of about 650 thousand entries, with the trees that prove them. */
const CHUNKS_BYTES_MAX = 64 * 1_024 * 1_024;

/** A chunk whose tree is built takes about three times its bytes. */
const sizeOf = ({ bytes }: Chunk) => 3 * bytes.length;

/** A directory has 40 bytes a chunk, and a tree. */
const DIRECTORIES_MAX = 50;

/** The list of a draw, closed for good. */
export interface ClosedList {
  saleId: string;
  /** The number of its entries. */
  entries: number;
  /** The most entries of a chunk. */
  chunkEntries: number;
  /** The root of its tree, in hexadecimal digits. It names the list, also among those of a sale that was created again. */
  root: string;
}

/** The published facts of a draw, as core/steps/line/publish.ts writes them. */
export type Facts = Partial<ClosedList> & Record<string, unknown>;

type Load<T> = () => Promise<T | undefined>;
type Cache<T extends object> = LRUCache<string, T, Load<T>>;

/** Reads what is published of draws from Redis. Lists never change, and are kept: a whole crowd asks for its proofs at once. */
export class Publications {
  readonly #redis: Shards;
  readonly #facts: Cache<Facts>;
  readonly #directories: Cache<Directory>;
  readonly #chunks: Cache<Chunk>;

  constructor(redis: Shards) {
    this.#redis = redis;
    this.#facts = new LRUCache({ max: DRAWS_MAX, ttl: FACTS_AGE_MAX_MS, ttlResolution: 0, ...fetching<Facts>() });
    this.#directories = new LRUCache({ max: DIRECTORIES_MAX, ...fetching<Directory>() });
    this.#chunks = new LRUCache({ maxSize: CHUNKS_BYTES_MAX, sizeCalculation: sizeOf, ...fetching<Chunk>() });
  }

  /**
   * Returns the facts of the draw of a sale with a line, read from Redis at most a second ago.
   *
   * @throws NotVerified when Redis has lost them
   */
  facts(saleId: string): Promise<Facts> {
    return fetchFrom(this.#facts, saleId, async () => {
      const text = await readAbout(this.#redis, saleId);
      return text === undefined ? undefined : JSON.parse(text);
    });
  }

  /** Empties the cache of facts, so that they are read when they are next needed. Lists never change. */
  forget(): void {
    this.#facts.clear();
  }

  /** Returns the directory of a list; throws as {@link facts}. */
  directory({ saleId, root }: ClosedList): Promise<Directory> {
    return fetchFrom(this.#directories, `${saleId} ${root}`, async () => {
      const bytes = await readDirectory(this.#redis, saleId);
      return bytes && new Directory(bytes);
    });
  }

  /** Returns a chunk that a list has; throws as {@link facts}. */
  chunk({ saleId, root }: ClosedList, number: number): Promise<Chunk> {
    return fetchFrom(this.#chunks, `${saleId} ${root} ${number}`, async () => {
      const bytes = await readChunk(this.#redis, saleId, number);
      return bytes && new Chunk(bytes);
    });
  }
}

/** Returns the list of a draw; undefined while it may still get entries. */
export function closedListOf(facts: Facts): ClosedList | undefined {
  return facts.root === undefined ? undefined : (facts as ClosedList);
}

/** Returns the options of a cache that reads what it lacks, once for all who ask meanwhile. */
const fetching = <T extends object>() => ({
  ignoreFetchAbort: true,
  fetchMethod: (_key: string, _stale: T | undefined, { context }: { context: Load<T> }) =>
    withDeadline(context(), REDIS_STEP_MS, 'reading a draw'),
});

async function fetchFrom<T extends object>(cache: Cache<T>, key: string, load: Load<T>): Promise<T> {
  const found = await cache.fetch(key, { context: load });
  if (found === undefined) throw new NotVerified(`${key} of a draw is not in Redis`);
  return found;
}

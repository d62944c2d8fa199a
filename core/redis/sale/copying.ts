import { randomUUID } from 'node:crypto';
import { chunks } from '../../values/chunks.js';
import type { Redis } from '../connection.js';
import { keysOf } from '../keys.js';
import { runScript } from '../scripts.js';
import type { Shards } from '../shards.js';
import { readRunId, setSale } from './sale.js';

/** Lifetime of the note of changed buyers, in s. Copying 10 million buyers takes two minutes. */
const NOTE_SECONDS = 600;

/** The most buyers that one command takes out of the note. */
const NOTE_CHUNK = 5_000;

/**
 * A rebuild's hold on a sale that it copies. While the gate is open, scripts note the buyers who change, so that only these are copied
 * again when the gate is shut.
 */
export class SaleCopying {
  readonly #redis: Redis;
  readonly #saleId: string;
  readonly #runId: string;
  readonly #token: string;
  /** `missing`: the sale is not loaded. `shut`: nothing changes already. `open`: it sells meanwhile. */
  readonly kind: 'missing' | 'shut' | 'open';

  private constructor(redis: Redis, saleId: string, held: { runId: string; token: string; kind: SaleCopying['kind'] }) {
    this.#redis = redis;
    this.#saleId = saleId;
    this.#runId = held.runId;
    this.#token = held.token;
    this.kind = held.kind;
  }

  /** Begins to copy a sale. A rebuild that has begun before gives up. */
  static async begin(shards: Shards, saleId: string): Promise<SaleCopying> {
    const redis = shards.of(saleId);
    const token = `rebuild-${randomUUID()}`;
    const runId = await readRunId(redis);
    const keys = [keysOf(saleId).sale];
    const kind = await runScript(redis, 'begin-copy', { keys, args: [token, NOTE_SECONDS] });
    return new SaleCopying(redis, saleId, { runId, token, kind: kind as SaleCopying['kind'] });
  }

  /** The run id that the sale has while its gate is shut; '' for a sale that is not loaded. */
  get gate(): string {
    return this.kind === 'missing' ? '' : this.#token;
  }

  /** Counts the buyers in the note. */
  async countChanged(): Promise<number> {
    return (await this.#redis.scard(this.#noteKey)) - 1;
  }

  /**
   * Takes the changed buyers out of the note. Read them only afterwards: a buyer who changes after that is noted again.
   *
   * @returns their ids
   */
  async takeChanged(): Promise<string[]> {
    const noted = await this.#readNote();
    for (const buyerIds of chunks(noted, NOTE_CHUNK)) await this.#redis.srem(this.#noteKey, ...buyerIds);
    return noted;
  }

  /**
   * Shuts the gate, so that nothing changes in Redis any more.
   *
   * @returns the buyers who have changed since the beginning and were not taken; `superseded` when another rebuild has begun since; `unnoted` when a process
   * of an earlier version has changed the sale: with the gate shut, all must be copied again
   */
  async shut(): Promise<string[] | 'superseded' | 'unnoted'> {
    if (this.kind === 'missing') return [];
    const keys = [keysOf(this.#saleId).sale];
    const shut = await runScript(this.#redis, 'shut-gate', { keys, args: [this.#token] });
    if (shut !== 1) return shut === 2 ? 'unnoted' : 'superseded';
    return this.#readNote();
  }

  /** Opens the gate again that this rebuild has shut, as it failed. The sale is as it was. */
  async reopen(): Promise<void> {
    if (this.kind !== 'open') return;
    const gate = await this.#redis.hget(keysOf(this.#saleId).sale, 'runId');
    if (gate === this.#token) await setSale(this.#redis, this.#saleId, { runId: this.#runId });
  }

  /** Ends the note of changed buyers. While Redis is away, it expires. */
  async end(): Promise<void> {
    await this.#redis.unlink(this.#noteKey).catch(() => undefined);
  }

  /** The note has the token as well, so that it exists while it has no buyer. */
  async #readNote(): Promise<string[]> {
    const noted = await this.#redis.smembers(this.#noteKey);
    return noted.filter(member => member !== this.#token);
  }

  /** As the scripts name it (lua/include/changes.lua). */
  get #noteKey(): string {
    return `${keysOf(this.#saleId).sale}:${this.#token}`;
  }
}

import { randomUUID } from 'node:crypto';
import { STRUCK_FROM } from '../../draw/lot.js';
import { type Claim, type ClaimRecord, formatClaimRecord, parseClaimRecord } from '../../rules/claim.js';
import { type Sale, standbyCap } from '../../rules/sale.js';
import { chunks } from '../../values/chunks.js';
import type { Redis } from '../connection.js';
import type { LineFields } from '../draw/entries.js';
import { allKeysOf, groupsKeyOf, registryKeyOf } from '../keys.js';
import { adoptLayout, unlessMoved } from '../layout.js';
import { refuseMoved, repliesOf } from '../replies.js';
import { runScript } from '../scripts.js';
import type { Shards } from '../shards.js';
import { countGroup } from './groups.js';
import { readRunId } from './sale.js';

/**
 * Elements per command while the temporary keys of a sale are filled. Five hundred lots, spread over a standby of a million buyers, block
 * Redis for some 3 ms.
 */
const STAGE_CHUNK = 500;

/** Elements that are on their way to Redis at once: a few hundred kB. */
const STAGED_AT_ONCE = 5_000;

/** Lifetime of temporary keys that never became a sale, in s. */
const STAGED_TTL_SECONDS = 600;

/** A claim with its buyer, as Redis stores it. */
export type BuyerClaim = ClaimRecord & Pick<Claim, 'buyerId'>;

/** A buyer on standby: with the number that they drew when joining, and their group if the sale counts groups. */
export interface Waiting {
  buyerId: string;
  ticket: number;
  group?: string | undefined;
}

/** The parts of a sale that decide how its content is staged. */
type StagedSale = Pick<Sale, 'id' | 'perGroup'>;

/** Builds the keys of a sale that have its content, and that of the sale itself first. */
const contentKeysOf = (saleId: string): string[] => [...allKeysOf(saleId), groupsKeyOf(saleId)];

/** The outcome of opening a staged sale, in the words of the script open-sale.lua. */
export type OpenOutcome = 'opened' | 'restarted' | 'superseded';

/**
 * The next content of a sale, which is prepared under temporary keys and becomes the sale at once. A process that dies meanwhile
 * leaves the sale as it was, and keys that expire.
 */
export class Staging {
  readonly #redis: Redis;
  readonly #saleId: string;
  readonly #runId: string;
  readonly #keys: [stock: string, claims: string, outbox: string, standby: string, groups: string];
  readonly #countsGroups: boolean;
  readonly #counts = { stock: 0, claims: 0, outbox: 0, standby: 0 };
  #lastTicket = 0;

  private constructor(redis: Redis, { id, perGroup }: StagedSale, runId: string) {
    const [, ...keys] = contentKeysOf(id);
    const suffix = `:staged:${randomUUID()}`;
    this.#redis = redis;
    this.#saleId = id;
    this.#runId = runId;
    this.#keys = keys.map(key => key + suffix) as [string, string, string, string, string];
    this.#countsGroups = perGroup > 0;
  }

  /**
   * Begins to prepare a sale.
   *
   * @returns undefined when the keys of all sales are moved at this moment: begin again
   * @throws ioredis's error
   */
  static async begin(shards: Shards, sale: StagedSale): Promise<Staging | undefined> {
    const redis = shards.of(sale.id);
    const runId = await readRunId(redis);
    // The script refuses when Redis was restarted or the keys were moved since, so that no sale is opened under names that nobody else uses.
    await adoptLayout(shards);
    // The sale enters the registry first: if this process dies now, reconcile sees that Postgres has a later generation, and loads the
    // sale. The script writes the true generation.
    const registered = await redis.hsetnx(registryKeyOf(sale.id), sale.id, 0).catch(refuseMoved).catch(unlessMoved);
    return registered === undefined ? undefined : new Staging(redis, sale, runId);
  }

  /** The numbers of buyers prepared so far. */
  get counts(): { claims: number; standby: number } {
    return this.#counts;
  }

  async putClaims(all: readonly BuyerClaim[]): Promise<void> {
    const [, key] = this.#keys;
    const records = (part: BuyerClaim[]) => part.flatMap(claim => [claim.buyerId, formatClaimRecord(claim)]);
    const buyerIds = all.map(({ buyerId }) => buyerId);
    await this.#regroup(buyerIds, all);
    this.#counts.claims += await this.#fill(key, all, part => this.#redis.hset(key, ...records(part)));
  }

  /** Reads the prepared claims of some buyers, in their order. */
  async readClaims(buyerIds: readonly string[]): Promise<(ClaimRecord | undefined)[]> {
    if (buyerIds.length === 0) return [];
    const records = await this.#redis.hmget(this.#keys[1], ...buyerIds);
    return records.map(record => (record === null ? undefined : parseClaimRecord(record)));
  }

  /** Adds claims that have no order yet to the outbox, each with the time of its win in ms. */
  async putUnplaced(all: readonly { buyerId: string; wonAtMs: number }[]): Promise<void> {
    const key = this.#keys[2];
    const add = (part: typeof all) => this.#redis.zadd(key, ...part.flatMap(e => [e.wonAtMs, e.buyerId]));
    this.#counts.outbox += await this.#fill(key, all, async part => Number(await add(part)));
  }

  async putStandby(all: readonly Waiting[]): Promise<void> {
    const [, , , key, groupsKey] = this.#keys;
    const grouped = this.#countsGroups ? all.filter(({ group }) => group !== undefined) : [];
    const note = (part: Waiting[]) =>
      this.#redis.hset(groupsKey, ...part.flatMap(({ buyerId, group = '' }) => [`w:${buyerId}`, group]));
    await this.#fill(groupsKey, grouped, note);
    for (const { ticket } of all) if (ticket < STRUCK_FROM) this.#lastTicket = Math.max(this.#lastTicket, ticket);
    const add = (part: typeof all) => this.#redis.zadd(key, ...part.flatMap(e => [e.ticket, e.buyerId]));
    this.#counts.standby += await this.#fill(key, all, async part => Number(await add(part)));
  }

  /** The highest ticket of a buyer on standby without a strike so far, 0 for none. */
  get lastTicket(): number {
    return this.#lastTicket;
  }

  /** Adds units to the stock by pages, in the order in which they are dealt. */
  async putStock(pages: Iterable<readonly number[]>): Promise<void> {
    const key = this.#keys[0];
    const add = async (part: readonly number[]) => {
      await this.#redis.rpush(key, ...part);
      return part.length;
    };
    for (const page of pages) this.#counts.stock += await this.#fill(key, page, add);
  }

  /** Takes some buyers out again. */
  async drop(buyerIds: readonly string[]): Promise<void> {
    if (buyerIds.length === 0) return;
    const [, claims, outbox, standby] = this.#keys;
    await this.#regroup(buyerIds, []);
    this.#counts.claims -= await this.#redis.hdel(claims, ...buyerIds);
    this.#counts.outbox -= await this.#redis.zrem(outbox, ...buyerIds);
    this.#counts.standby -= await this.#redis.zrem(standby, ...buyerIds);
  }

  /**
   * Makes the prepared content the sale, verified for this run of Redis.
   *
   * @param gate the token that is the sale's run id at present, so that scripts refuse the sale; '' for a sale that is not loaded
   * @param line of a sale that buyers join before the opening
   */
  async open(sale: Sale, gate: string, line?: LineFields): Promise<OpenOutcome> {
    const { stock, claims, outbox, standby } = this.#counts;
    const cap = standbyCap(sale) + (line?.entered ?? 0);
    const fields = Object.entries({ ...fieldsOf(sale, this.#redis), standbyCap: cap, ...line }).flat();
    const args = [this.#runId, gate, sale.generation, stock, claims, outbox, standby, ...fields];
    const keys = [...contentKeysOf(this.#saleId), ...this.#keys];
    return (await runScript(this.#redis, 'open-sale', { keys, args })) as OpenOutcome;
  }

  /** Removes the temporary keys. It is a no-op after the sale was opened, and while Redis is away: they expire. */
  async discard(): Promise<void> {
    await this.#redis.unlink(this.#keys).catch(() => undefined);
  }

  /** Counts the groups in claims that are put or taken out, as lua/include/groups.lua does. */
  async #regroup(buyerIds: readonly string[], next: readonly ClaimRecord[]): Promise<void> {
    if (!this.#countsGroups) return;
    const before = (await this.readClaims(buyerIds)).filter(claim => claim !== undefined);
    const changes = new Map<string, number>();
    for (const claim of before) countGroup(changes, claim, -1);
    for (const claim of next) countGroup(changes, claim, 1);
    const key = this.#keys[4];
    const add = (part: [field: string, by: number][]) => {
      const pipeline = this.#redis.pipeline();
      for (const [field, by] of part) pipeline.hincrby(key, field, by);
      return pipeline.exec().then(repliesOf<number[]>);
    };
    await this.#fill(key, [...changes], async part => (await add(part)).length);
  }

  /** Adds elements in several parts. Each part sets the expiry, so that a crash leaves nothing behind. */
  async #fill<T>(key: string, all: readonly T[], add: (part: T[]) => Promise<number>): Promise<number> {
    let added = 0;
    for (const some of chunks(all, STAGED_AT_ONCE)) {
      const adding = [...chunks(some, STAGE_CHUNK)].map(add);
      for (const count of await Promise.all(adding)) added += count;
      await this.#redis.expire(key, STAGED_TTL_SECONDS);
    }
    return added;
  }
}

/** Returns the fields of a sale. `locksApart` tells the scripts that other nodes may have the locks of its buyers. */
function fieldsOf(sale: Sale, { isOfCluster }: Pick<Shards, 'isOfCluster'>): Record<string, string | number> {
  const { id: _, standbyFactor: __, generation: ___, ...settings } = sale;
  const known = Object.entries(settings).filter(([, value]) => value !== undefined);
  const fields = known.map(([name, value]) => [name, typeof value === 'boolean' ? Number(value) : value]);
  return Object.fromEntries(isOfCluster ? [...fields, ['locksApart', 1]] : fields);
}

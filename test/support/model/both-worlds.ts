import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import type { Redis } from '#core/redis/connection.js';
import { parseChange } from '#core/redis/feed/changes.js';
import { readPulses } from '#core/redis/feed/pulse.js';
import { channelOf, keysOf } from '#core/redis/keys.js';
import { scanBuyers } from '#core/redis/sale/buyers.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { readSnapshot } from '#core/redis/sale/snapshot.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { isLive } from '#core/rules/claim.js';
import { Mirror } from '../../../apps/api/mirror/mirror.js';
import { aSale } from '../stores/stores.js';
import { BUYERS, purchaseKeysOf, type Run } from './command.js';
import { type Picture, SaleModel, type Terms } from './sale-model.js';

/** Longer than any run, in seconds: what should end before it is ended. */
const PAUSE_SECONDS = 100_000;

/** Opens a sale in Redis and in the model, to buyers who bought nothing yet. */
export async function openRun(redis: Redis, { hasPause, ...terms }: Terms): Promise<Run> {
  await redis.del(...BUYERS.flatMap(purchaseKeysOf));
  const sale = aSale({ ...terms, minSecondsBetweenPurchases: hasPause ? PAUSE_SECONDS : 0 });
  await openSale(redis, sale);
  return { sale, runId: await readRunId(redis), model: new SaleModel({ hasPause, ...terms }), won: [], next: 0 };
}

/** @returns what Redis holds of a sale, and of what its rules remember */
export async function readPicture(redis: Redis, { sale: { id }, runId }: Run): Promise<Picture> {
  const [snapshot, told, remembered] = await Promise.all([
    readSnapshot(redis, id),
    redis.hmget(keysOf(id).sale, 'state', 'stateGeneration'),
    redis.mget(BUYERS.flatMap(purchaseKeysOf)),
  ]);
  if (!snapshot) throw new Error(`sale ${id} is gone`);
  const { units, standbyCap: cap, stock, claims, standby } = snapshot;
  return {
    units,
    cap,
    state: told[0] as Picture['state'],
    generation: Math.max(snapshot.generation, Number(told[1])),
    gate: snapshot.runId === runId ? '' : snapshot.runId,
    stock,
    claims,
    outbox: [...snapshot.outbox.keys()].sort(),
    standby,
    locks: new Map(BUYERS.flatMap((one, i) => (remembered[2 * i] ? [[one, remembered[2 * i] as string]] : []))),
    pausing: new Set(BUYERS.filter((_, i) => remembered[2 * i + 1])),
  };
}

/** Whatever the model says: no unit is lost or there twice, no claim is two buyers', and only live ones wait for their order. */
export function expectSound({ stock, claims, outbox }: Picture, { units, withdrawn }: SaleModel): void {
  const live = [...claims].filter(([, claim]) => isLive(claim.status));
  const all = [...stock, ...live.map(([, claim]) => claim.unit), ...withdrawn];
  same(
    all.sort((a, b) => a - b),
    Array.from({ length: units }, (_, i) => i + 1),
  );
  same(new Set(live.map(([, claim]) => claim.claimId)).size, live.length);
  same(
    outbox.filter(buyerId => !live.some(([holder]) => holder === buyerId)),
    [],
  );
}

/** Jest's comparison tells more, and takes longer than everything else here together: it is asked only for what differs. */
export function same(received: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(received, expected)) expect(received).toEqual(expected);
}

/** What an API keeps of a sale in memory, fed with nothing but what the scripts tell. */
export class Listener {
  readonly #redis: Redis;
  readonly #ears: Redis;
  /** What was told of changes, in their order. */
  readonly #heard: { channel: string; text: string }[] = [];
  #mirror: { of: Mirror; saleId: string; turns: number } | undefined;

  private constructor(redis: Redis) {
    this.#redis = redis;
    this.#ears = redis.duplicate({ enableOfflineQueue: true });
    this.#ears.on('pmessage', (_pattern, channel, text) => this.#heard.push({ channel, text }));
  }

  static async start(redis: Redis): Promise<Listener> {
    const listener = new Listener(redis);
    await listener.#ears.psubscribe('*:changes');
    return listener;
  }

  stop(): void {
    this.#ears.disconnect();
  }

  /** Copies a sale, as an API does that meets it, or that missed something of it: also when the gate was closed or opened. */
  async follow({ sale: { id }, model: { turns } }: Run): Promise<void> {
    const standing = await readStanding(this.#redis, id);
    const mirror = new Mirror(standing);
    await scanBuyers(this.#redis, id, one => mirror.setBuyer(one));
    this.#mirror = { of: mirror, saleId: id, turns };
  }

  /** A copy that was only told of the changes must say of every buyer what the model says. */
  async agree(run: Run): Promise<void> {
    const [pulse] = await readPulses(this.#redis, [run.sale.id]);
    // Its reply comes after everything that was published before it was asked.
    await this.#ears.ping();
    const news = this.#heard.splice(0).filter(({ channel }) => channel === channelOf(run.sale.id));
    if (run.model.gate !== '') return;
    if (this.#mirror?.saleId !== run.sale.id || this.#mirror.turns !== run.model.turns) return this.follow(run);
    const { of: mirror } = this.#mirror;
    for (const { text } of news) expect(mirror.apply(parseChange(text))).toBe(true);
    if (pulse) mirror.confirm(pulse);
    for (const buyerId of BUYERS) same(mirror.refusalOf(buyerId), run.model.refusal(buyerId));
  }
}

import { expect } from '@jest/globals';
import type { Redis as AnyRedis } from 'ioredis';
import type { Redis } from '#core/redis/connection.js';
import { parseChange } from '#core/redis/feed/changes.js';
import { sendGathered } from '#core/redis/feed/gathered.js';
import { readPulses } from '#core/redis/feed/pulse.js';
import { channelOf } from '#core/redis/keys.js';
import { scanBuyers } from '#core/redis/sale/buyers.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { Mirror } from '../../../apps/api/mirror/mirror.js';
import { BUYERS, type Run } from './command.js';
import { same } from './run.js';

/** Keeps the mirror of a sale as an API does: from the messages of the scripts alone. */
export class Listener {
  readonly #redis: Redis;
  readonly #ears: AnyRedis;
  /** The messages about changes, in order. */
  readonly #heard: { channel: string; text: string }[] = [];
  #mirror: { of: Mirror; saleId: string; turns: number } | undefined;

  private constructor(redis: Redis) {
    this.#redis = redis;
    this.#ears = redis.duplicate({ enableOfflineQueue: true });
    this.#ears.on('pmessage', (_pattern, channel, text) => this.#heard.push({ channel, text }));
  }

  /** Subscribes to the changes of every sale. */
  static async start(redis: Redis): Promise<Listener> {
    const listener = new Listener(redis);
    await listener.#ears.psubscribe('*:changes');
    return listener;
  }

  stop(): void {
    this.#ears.disconnect();
  }

  /** Copies a sale: an API does so for a new sale, after a missed message, and when the gate closes or opens. */
  async follow({ sale: { id }, model: { turns } }: Run): Promise<void> {
    const standing = await readStanding(this.#redis, id);
    const mirror = new Mirror(standing);
    await scanBuyers(this.#redis, id, one => mirror.setBuyer(one));
    this.#mirror = { of: mirror, saleId: id, turns };
  }

  /** Expects that the mirror refuses the same buyers as the model. */
  async agree(run: Run): Promise<void> {
    const [pulse] = await readPulses(this.#redis, [run.sale.id]);
    await sendGathered(this.#redis, run.sale.id);
    // The reply to this ping comes after every message that was published before.
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

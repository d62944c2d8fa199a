import { randomUUID } from 'node:crypto';
import type { Claim } from '../../rules/claim.js';
import { withDeadline } from '../../rules/clock.js';
import type { Shards } from '../shards.js';
import { byBucket, confirmLocks, giveBackLocks, runLocks } from './locks.js';
import type { ReadRules } from './rules.js';

/**
 * The lifetime of a reservation, in ms. A worker confirms the lock of a claim within 15 s of its win, also if the API that has
 * won it has died (docs/guarantees.md).
 */
const RESERVED_MS = 30_000;

/**
 * A claim must be made within this time after its locks were asked for, in ms by the clock of the sale's node. It leaves the worker
 * its time, and an API waits for Redis 1.5 s at most.
 */
const CLAIM_WITHIN_MS = 5_000;

/** Time limit for the answer of a node about locks, in ms. A frozen one must not hold up the buyers of others. */
const ANSWER_MS = 500;

/** A buyer who may not win, and why: a rule, or the buyer's node is away. */
interface Refused {
  buyerId: string;
  rule: 'interval' | 'purchase' | 'away';
  /** For how long, in ms. */
  ms: number;
}

/** The attempt of some buyers to claim. */
export interface Attempt {
  saleId: string;
  buyerIds: readonly string[];
  rules: ReadRules;
}

/**
 * The locks of buyers of one sale, taken before a claim that may win. Afterwards those of the winners are confirmed, and the others
 * are given back. A process that dies in between leaves locks that expire.
 */
export class Reservation {
  readonly #redis: Shards;
  readonly #attempt: Attempt;
  readonly #token: string;
  readonly #refused: readonly Refused[];

  private constructor(redis: Shards, attempt: Attempt, taken: { token: string; refused: Refused[] }) {
    this.#redis = redis;
    this.#attempt = attempt;
    this.#token = taken.token;
    this.#refused = taken.refused;
  }

  /** Takes the locks of buyers, as far as no rule refuses them. */
  static async take(redis: Shards, attempt: Attempt): Promise<Reservation> {
    const { saleId, buyerIds, rules } = attempt;
    const token = `${saleId}/${randomUUID()}`;
    const words = `${rules.pauseMs > 0 ? 'interval ' : ''}${rules.one ? 'purchase' : ''}`;
    const buyers = buyerIds.map(buyerId => ({ buyerId }));
    const refused = await Promise.all(
      byBucket(redis, buyers).map(async ([shard, part]) => {
        const ids = part.map(({ buyerId }) => buyerId);
        const taking = runLocks(shard, 'take-locks', [ids.join(' '), token, words, RESERVED_MS]);
        const outcomes = (await withDeadline(taking, ANSWER_MS, 'taking locks').catch(() => undefined)) as
          | (0 | [rule: Refused['rule'], ms: number])[]
          | undefined;
        return ids.flatMap((buyerId, i): Refused[] => {
          const outcome = outcomes ? outcomes[i] : (['away', 0] as const);
          return outcome ? [{ buyerId, rule: outcome[0], ms: outcome[1] }] : [];
        });
      }),
    );
    return new Reservation(redis, attempt, { token, refused: refused.flat() });
  }

  /** The reservation as claim.lua takes it. A claim that comes too late is not made: its process may have been stopped. */
  get argument(): string {
    const until = this.#attempt.rules.atMs + CLAIM_WITHIN_MS;
    return [until, ...this.#refused.map(({ buyerId, rule, ms }) => `${buyerId} ${rule} ${ms}`)].join(' ');
  }

  /**
   * Gives the locks of the winners to their claims, and gives the others back. Nobody waits for it: a failure leaves locks that a
   * worker confirms, or that expire.
   */
  resolve(won: readonly Claim[]): void {
    const { rules, buyerIds } = this.#attempt;
    const winners = new Set(won.map(({ buyerId }) => buyerId));
    const others = buyerIds.filter(buyerId => !winners.has(buyerId));
    const lockMs = rules.one ? rules.lockMs : 0;
    const locked = won.map(claim => ({ ...claim, lockMs, pauseMs: rules.pauseMs }));
    confirmLocks(this.#redis, locked, this.#token).catch(() => undefined);
    const free = others.map(buyerId => ({ buyerId, holder: this.#token }));
    giveBackLocks(this.#redis, free).catch(() => undefined);
  }
}

import { randomUUID } from 'node:crypto';
import { crashPoint } from '../process/crash-point.js';
import { SECOND_MS } from '../rules/clock.js';
import { type Database, Prisma } from './database.js';

/**
 * Length of a lease, in ms. A process that was stopped, killed or cut off keeps its actors from other processes for at
 * most this long.
 */
const LEASE_MS = 5 * SECOND_MS;

/** How often the holder of a lease extends it, in ms: three times in its length. */
const EXTEND_EVERY_MS = 1_500;

/**
 * Longest time that one round of an actor (a maintenance task) keeps its lock from other processes, in ms. A longer
 * round may hang.
 */
const HOLD_MS = 60 * SECOND_MS;

/**
 * Lets one process at a time run an actor, which is a maintenance task that repeats in rounds. The lock is a lease in
 * Postgres, by Postgres's clock, so it works while Redis is down and behind every pooler. A process that stands still
 * for longer than its lease continues beside the next holder. The lock only saves work: every actor may safely run twice
 * at once.
 */
export class ActorLock {
  readonly #db: Database;
  readonly #holdMs: number;

  /**
   * Prepares the lock; the first round makes the first call to Postgres.
   *
   * @param holdMs longest time that a round keeps the lock from other processes, in ms
   */
  constructor(db: Database, holdMs = HOLD_MS) {
    this.#db = db;
    this.#holdMs = holdMs;
  }

  /**
   * Runs one round of an actor (a maintenance task) while holding that actor's lock.
   *
   * @returns false when another process holds the lock
   * @throws the error of `run`, or Prisma's error while locking
   */
  async hold(actor: string, run: () => Promise<void>): Promise<boolean> {
    // Each round is a holder of its own. The end of an overdue round does not end the lease of a later one.
    const lease = { actor, holder: randomUUID() };
    if (!(await this.#take(lease))) return false;
    const endsAtMs = performance.now() + this.#holdMs;
    let extended = Promise.resolve();
    const extension = setInterval(() => {
      if (performance.now() < endsAtMs) extended = this.#endIn(lease, LEASE_MS);
    }, EXTEND_EVERY_MS);
    try {
      await crashPoint('actor.locked');
      await run();
      await crashPoint('actor.done');
    } finally {
      clearInterval(extension);
      // An extension that comes after the end would keep the actor from other processes.
      await extended;
      await this.#endIn(lease, 0);
    }
    return true;
  }

  async #take({ actor, holder }: Lease): Promise<boolean> {
    const ms = Math.min(LEASE_MS, this.#holdMs);
    // While the lease of another holder lasts, the row is only read.
    const taken = await this.#db.$executeRaw(Prisma.sql`
      INSERT INTO actor_leases (actor, holder, until)
      SELECT ${actor}, ${holder}::uuid, clock_timestamp() + ${ms} * interval '1 ms'
      WHERE NOT EXISTS (SELECT FROM actor_leases WHERE actor = ${actor} AND until > clock_timestamp())
      ON CONFLICT (actor) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
      WHERE actor_leases.until <= clock_timestamp()`);
    return taken > 0;
  }

  /**
   * Makes a lease end in `ms` milliseconds, unless another process has taken it over. Errors are ignored: the lease then
   * ends by itself, and its error must not hide the round's own.
   */
  async #endIn({ actor, holder }: Lease, ms: number): Promise<void> {
    const extended = this.#db.$executeRaw(Prisma.sql`
      UPDATE actor_leases SET until = clock_timestamp() + ${ms} * interval '1 ms'
      WHERE actor = ${actor} AND holder = ${holder}::uuid`);
    await extended.catch(() => undefined);
  }
}

/** The row of a lease. */
interface Lease {
  actor: string;
  holder: string;
}

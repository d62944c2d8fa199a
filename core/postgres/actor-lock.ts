import pg from 'pg';
import { crashPoint } from '../process/crash-point.js';
import { SECOND_MS } from '../rules/clock.js';

/**
 * Postgres ends a lock session that is silent for this long, in ms, and frees its locks. The session's process is
 * stopped or cut off, and other processes must not wait for it. A process that is only slow loses its locks too, which
 * merely does work twice.
 */
const IDLE_SESSION_MS = 10_000;

/**
 * Longest time that one round of an actor (a maintenance task) keeps its lock from other processes, in ms. A longer
 * round may hang.
 */
const HOLD_MS = 60 * SECOND_MS;

/**
 * Lets one process at a time run an actor, which is a maintenance task that repeats in rounds. The lock belongs to a
 * Postgres session, so it ends with its process and works while Redis is down. The lock only saves work: every actor
 * may safely run twice at once. The session needs a direct connection, as a pooler in transaction mode would hand the
 * lock to another client.
 */
export class ActorLock {
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  readonly #holdMs: number;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Prepares the lock without connecting; the first round opens the session in Postgres.
   *
   * @param url `postgres://…`
   * @param onError receives the error when the session is lost; the next round opens another session
   * @param holdMs longest time that a round keeps the lock from other processes, in ms
   */
  constructor(url: string, onError: (error: Error) => void, holdMs = HOLD_MS) {
    this.#url = url;
    this.#onError = onError;
    this.#holdMs = holdMs;
  }

  /**
   * Runs one round of an actor (a maintenance task) while holding that actor's lock.
   *
   * @returns false when another process holds the lock
   * @throws the error of `run`, or Postgres's error while locking
   */
  async hold(actor: string, run: () => Promise<void>): Promise<boolean> {
    const key = `dropline.${actor}`;
    if (!(await this.#ask('SELECT pg_try_advisory_lock(hashtext($1)) AS done', key))) return false;
    const overdue = setTimeout(() => void this.#unlock(key), this.#holdMs);
    try {
      await crashPoint('actor.locked');
      await run();
      await crashPoint('actor.done');
    } finally {
      clearTimeout(overdue);
      await this.#unlock(key);
    }
    return true;
  }

  /**
   * Releases an actor's lock and ignores errors. A lost session has lost its locks, and its error must not hide the
   * round's own.
   */
  async #unlock(key: string): Promise<void> {
    await this.#ask('SELECT pg_advisory_unlock(hashtext($1)) AS done', key).catch(() => undefined);
  }

  /**
   * Runs a query on the session that all actors share, one query at a time. A failed query ends the session and frees
   * all its locks.
   */
  #ask(query: string, key: string): Promise<boolean> {
    const answer = this.#last.then(async () => {
      this.#client ??= this.#open();
      const session = this.#client;
      try {
        const { rows } = await (await session).query<{ done: boolean }>(query, [key]);
        return rows[0]?.done === true;
      } catch (error) {
        this.#forget(session);
        void session.then(client => client.end()).catch(() => undefined);
        throw error;
      }
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the session in Postgres, which frees all its locks. */
  async close(): Promise<void> {
    await (await this.#client)?.end();
  }

  /**
   * Forgets a session that has ended, unless a newer one is in use. A session's end may be reported long after the next
   * one was opened.
   */
  #forget(session: Promise<pg.Client> | undefined): void {
    if (this.#client === session) this.#client = undefined;
  }

  async #open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: 2_000,
      query_timeout: 6_000,
      keepAlive: true,
      options: `-c idle_session_timeout=${IDLE_SESSION_MS}`,
    });
    client.on('error', this.#onError);
    await client.connect();
    const session = this.#client;
    client.on('end', () => this.#forget(session));
    return client;
  }
}

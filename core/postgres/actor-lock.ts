import pg from 'pg';
import { crashPoint } from '../process/crash-point.js';
import { SECOND_MS } from '../rules/clock.js';

/**
 * A session that is silent for this long loses its locks, in ms: its process is stopped or cut off, and the others must
 * not wait. A session that only works slowly loses them too, which merely does work twice.
 */
const IDLE_SESSION_MS = 10_000;

/** Longest time that a round keeps other processes from the same actor, in ms. A longer round may hang. */
const HOLD_MS = 60 * SECOND_MS;

/**
 * Lets one process at a time run an actor. The lock belongs to a session of Postgres, so it ends with the process and
 * works while Redis is down. The lock only saves work: every actor may run twice. It needs a direct connection, as a
 * pooler in transaction mode would hand the lock to another client.
 */
export class ActorLock {
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  readonly #holdMs: number;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Prepares the lock; the first round opens the session.
   *
   * @param url `postgres://…`
   * @param onError receives the loss of the session; the next round opens another one
   * @param holdMs longest time that a round keeps others away, in ms
   */
  constructor(url: string, onError: (error: Error) => void, holdMs = HOLD_MS) {
    this.#url = url;
    this.#onError = onError;
    this.#holdMs = holdMs;
  }

  /**
   * Runs a round under the lock of an actor.
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

  /** A lost session has lost its locks. Its error must not hide the error of the round. */
  async #unlock(key: string): Promise<void> {
    await this.#ask('SELECT pg_advisory_unlock(hashtext($1)) AS done', key).catch(() => undefined);
  }

  /** Actors share the session, which runs one query at a time. A failed query ends the session and all its locks. */
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

  /** Releases every lock and ends the session. */
  async close(): Promise<void> {
    await (await this.#client)?.end();
  }

  /** The end of a session may be reported long after the next session was opened. */
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

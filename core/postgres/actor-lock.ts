import pg from 'pg';
import { crashPoint } from '../process/crash-point.js';
import { SECOND_MS } from '../rules/clock.js';

/**
 * A session that says nothing for this long, in ms, loses its locks: its process is stopped or cut off, and the others must not
 * wait for it. One that is only long at work loses them, too, which costs nothing but doing the work twice.
 */
const IDLE_SESSION_MS = 10_000;

/** A round that takes longer than this, in ms, doesn't keep the others from running the same actor any more: it may hang. */
const HOLD_MS = 60 * SECOND_MS;

/**
 * Lets one process at a time run an actor. The lock belongs to a session of Postgres, so it dies with the process, and it
 * works while Redis doesn't. It saves work; correctness never depends on it, as every actor is safe to run twice.
 * It needs a direct connection: a pooler in transaction mode would hand the lock to somebody else.
 */
export class ActorLock {
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  readonly #holdMs: number;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param url `postgres://…`
   * @param onError told when the session is lost; the next run opens another
   * @param holdMs how long a run keeps the others away, in ms
   */
  constructor(url: string, onError: (error: Error) => void, holdMs = HOLD_MS) {
    this.#url = url;
    this.#onError = onError;
    this.#holdMs = holdMs;
  }

  /**
   * @param actor its name
   * @param run what to do under the lock
   * @returns false when another process runs it just now
   * @throws what `run` throws, and what Postgres throws before it
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

  /** A session that is lost has lost its locks; it must not hide what a run threw. */
  async #unlock(key: string): Promise<void> {
    await this.#ask('SELECT pg_advisory_unlock(hashtext($1)) AS done', key).catch(() => undefined);
  }

  /** Several actors share the session, which takes one query at a time. One that fails ends the session, and every lock with it. */
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

  /** Gives every lock back. */
  async close(): Promise<void> {
    await (await this.#client)?.end();
  }

  /** The end of a session may be told long after the next one was opened. */
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

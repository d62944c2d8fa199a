import pg from 'pg';
import { crashPoint } from '../crash-point.js';

/**
 * A session that says nothing for this long, in ms, loses its locks: its process is stopped or cut off, and the others must not
 * wait for it. One that is only long at work loses them, too, which costs nothing but doing the work twice.
 */
const IDLE_SESSION_MS = 10_000;

/**
 * Lets one process at a time run an actor. The lock belongs to a session of Postgres, so it dies with the process, and it
 * works while Redis doesn't. It saves work; correctness never depends on it, as every actor is safe to run twice.
 * It needs a direct connection: a pooler in transaction mode would hand the lock to somebody else.
 */
export class ActorLock {
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param url `postgres://…`
   * @param onError told when the session is lost; the next run opens another
   */
  constructor(url: string, onError: (error: Error) => void) {
    this.#url = url;
    this.#onError = onError;
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
    try {
      await crashPoint('actor.locked');
      await run();
      await crashPoint('actor.done');
    } finally {
      // A session that is lost has lost its locks; it must not hide what `run` threw.
      await this.#ask('SELECT pg_advisory_unlock(hashtext($1)) AS done', key).catch(() => undefined);
    }
    return true;
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

import { LRUCache } from 'lru-cache';
import type { Session } from '#core/identity/session.js';
import type { Database } from '#core/postgres/database.js';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { isSessionRevoked, revokeSession } from '#core/postgres/revoked-sessions.js';
import { storeFailed } from '#core/process/telemetry.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { DeadlineExceeded, Problem } from '#core/rules/errors.js';

/**
 * How long a session that was found valid is not looked up again for reading, in ms. So a logout at another admin
 * process ends reading here within this time. Changes look the session up each time.
 */
const KNOWN_MS = 5 * SECOND_MS;

/** The sessions that are remembered: some for each operator. Beyond it, the one unused for longest is looked up again. */
const SESSIONS_MAX = 1_000;

/** The time-out of one look-up, in ms. It takes about 1 ms when Postgres is well. */
const LOOK_UP_MS = 2 * SECOND_MS;

/** A session that this process knows. `atMs`: when it was last looked up, by `performance.now()`. */
type Known = { state: 'valid' | 'revoked'; atMs: number };

/**
 * Tells which sessions were revoked by a logout, at any admin process. Postgres knows, and answers are remembered. While
 * Postgres is away, sessions that were valid before may still read.
 */
export class Revocations {
  readonly #db: Database;
  readonly #known = new LRUCache<string, Known>({ max: SESSIONS_MAX });

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Tells whether a session was revoked.
   *
   * @param use `read` may take an answer of the last seconds, `change` never does
   * @throws Problem `unavailable` when Postgres is needed for the answer, and is away
   */
  async includes({ id }: Session, use: 'read' | 'change'): Promise<boolean> {
    const known = this.#known.get(id);
    if (known?.state === 'revoked') return true;
    if (known && use === 'read' && performance.now() - known.atMs < KNOWN_MS) return false;
    try {
      const revoked = await withDeadline(isSessionRevoked(this.#db, id), LOOK_UP_MS, 'looking a session up');
      this.#remember(id, revoked ? 'revoked' : 'valid');
      return revoked;
    } catch (error) {
      const away = unavailable(error);
      // Without this, every page would wait for the time-out of the look-up.
      if (known) known.atMs = performance.now();
      if (known && use === 'read') return false;
      throw away;
    }
  }

  /**
   * Revokes a session, here at once and everywhere by Postgres.
   *
   * @throws Problem `unavailable` when Postgres is away: other admin processes still accept the session
   */
  async add(session: Session): Promise<void> {
    this.#remember(session.id, 'revoked');
    try {
      await withDeadline(revokeSession(this.#db, session), LOOK_UP_MS, 'revoking a session');
    } catch (error) {
      throw unavailable(error);
    }
  }

  #remember(id: string, state: Known['state']): void {
    // A look-up that began before a logout must not undo what the logout has remembered.
    if (this.#known.get(id)?.state === 'revoked') return;
    this.#known.set(id, { state, atMs: performance.now() });
  }
}

/** Maps an error of Postgres to the answer while Postgres is away. Any other error is returned as it is. */
function unavailable(error: unknown): unknown {
  if (!isDatabaseAway(error) && !(error instanceof DeadlineExceeded)) return error;
  storeFailed('postgres', error);
  return new Problem('unavailable', { detail: 'Postgres did not answer', retryAfterSeconds: 2 });
}

import { SECOND_MS, withDeadline } from '../rules/clock.js';
import { DeadlineExceeded, Problem } from '../rules/errors.js';
import type { StepContext } from '../steps/context.js';
import { Progress } from '../values/progress.js';
import { type Audit, audit } from './audit.js';

/**
 * The most audits at the same time. Each uses two connections to Postgres, for half a minute if its sale is large, and pages need some as
 * well.
 */
const RUNNING_MAX = 2;

/** How long a result waits for the operator who asked for it, in ms. */
const KEPT_MS = 30 * SECOND_MS;

/** An audit that runs, or whose result nobody has seen yet. */
interface Run {
  /** The share that is done, from 0 to 1. */
  share: number;
  isOver: boolean;
  readonly done: Promise<Audit | undefined>;
}

/** The audits that operators have asked for, one for each sale. Those of large sales take longer than a request may. */
export class Audits {
  readonly #ctx: StepContext;
  readonly #runs = new Map<string, Run>();

  constructor(ctx: StepContext) {
    this.#ctx = ctx;
  }

  /**
   * Waits for the audit of a sale: for the one that runs, or else for a new one.
   *
   * @param patienceMs the longest wait, in ms
   * @returns the result, undefined if Postgres has no such sale; after the wait, the share that is done, from 0 to 1: ask again
   * @throws Problem `too_many_requests` when too many audits run; what an audit throws
   */
  async ask(saleId: string, patienceMs: number): Promise<Audit | number | undefined> {
    const run = this.#runs.get(saleId) ?? this.#start(saleId);
    try {
      const result = await withDeadline(run.done, patienceMs, 'an audit');
      this.#forget(saleId, run);
      return result;
    } catch (error) {
      if (error instanceof DeadlineExceeded) return run.share;
      throw error;
    }
  }

  #start(saleId: string): Run {
    if ([...this.#runs.values()].filter(({ isOver }) => !isOver).length >= RUNNING_MAX) {
      throw new Problem('too_many_requests', { retryAfterSeconds: 2, detail: `${RUNNING_MAX} audits run already` });
    }
    const progress = new Progress(share => {
      run.share = share;
    });
    const run: Run = { share: 0, isOver: false, done: audit(this.#ctx.db, this.#ctx.redis, saleId, { progress }) };
    this.#runs.set(saleId, run);
    run.done.then(
      () => {
        run.isOver = true;
        setTimeout(() => this.#forget(saleId, run), KEPT_MS).unref();
      },
      () => this.#forget(saleId, run),
    );
    return run;
  }

  #forget(saleId: string, run: Run): void {
    if (this.#runs.get(saleId) === run) this.#runs.delete(saleId);
  }
}

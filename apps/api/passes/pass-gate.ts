import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { judgePass, type PassKey } from '#core/identity/pass.js';
import { clicksWithoutPass } from '#core/process/telemetry.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem, type ProblemCode } from '#core/rules/errors.js';
import { WAITING_MAX } from '../http/deadline.js';
import type { PreparedProblem } from '../http/problem.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';
import { PASS_REFUSALS, refusalFor } from './pass-refusals.js';

/** The header in which a buyer sends the pass, in lower case as Node gives it. */
export const PASS_HEADER = 'dropline-pass';

/** The most sales that the gate knows. A click in another one costs a look-up. */
const SALES_MAX = 10_000;

/**
 * How old the gate's knowledge of a sale may be before it reads the sale again, in ms. Whether a sale needs a pass never
 * changes, but Redis may move to a machine with another clock.
 */
const STALE_MS = 30 * SECOND_MS;

const REPORT_EVERY_MS = SECOND_MS;

const noneRefused = () =>
  Object.fromEntries(PASS_REFUSALS.map(code => [code, 0])) as Partial<Record<ProblemCode, number>>;

/** The gate's knowledge of a sale: whether it needs a pass, and Redis's clock. */
type KnownSale = Pick<RecentSale, 'needsPass' | 'nowMs' | 'readAtMs'>;

/**
 * Refuses clicks without a good pass, in sales that need one. A sale is read once, before its first click. From then on
 * a click costs the gate no I/O, also while Redis is away.
 */
export class PassGate {
  readonly #sales: Pick<Sales, 'ask'>;
  readonly #keys: readonly PassKey[];
  readonly #known = new LRUCache<string, KnownSale>({ max: SALES_MAX });
  readonly #reading = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #waiting = 0;
  #refused = noneRefused();

  /** @param keys the keys of which one must have signed a pass */
  constructor(sales: Pick<Sales, 'ask'>, keys: readonly PassKey[]) {
    this.#sales = sales;
    this.#keys = keys;
    clicksWithoutPass(this.#refused);
    this.#timer = setInterval(() => this.#report(), REPORT_EVERY_MS);
  }

  /** Returns whether the gate can judge clicks in a sale at once. */
  knows(saleId: string): boolean {
    return this.#known.has(saleId);
  }

  /**
   * Reads a sale, so that the gate knows it. All who wait for one sale share one look-up.
   *
   * @param done is called once with nothing, or with the problem or the failure of Redis
   */
  learn(saleId: string, done: (error?: unknown) => void): void {
    if (this.#waiting >= WAITING_MAX) return void done(new Problem('too_many_requests', { retryAfterSeconds: 1 }));
    this.#waiting += 1;
    this.#sales.ask(saleId, (sale, error) => {
      this.#waiting -= 1;
      if (sale) this.#remember(saleId, sale);
      done(error);
    });
  }

  /** Returns the problem of a click in a sale that the gate knows; undefined for one that may pass. */
  refusalOf(saleId: string, buyerId: string, req: IncomingMessage): PreparedProblem | undefined {
    const sale = this.#known.get(saleId);
    if (!sale) throw new Error(`the gate does not know sale ${saleId}`);
    if (performance.now() - sale.readAtMs > STALE_MS) this.#refresh(saleId);
    if (!sale.needsPass) return undefined;
    const text = req.headers[PASS_HEADER];
    const verdict =
      text === undefined
        ? undefined
        : judgePass(this.#keys, String(text), { saleId, buyerId, nowMs: redisNowMs(sale) });
    const refusal = refusalFor(verdict);
    if (refusal) this.#refused[refusal.code] = (this.#refused[refusal.code] ?? 0) + 1;
    return refusal;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#report();
  }

  #remember(saleId: string, { needsPass, nowMs, readAtMs }: RecentSale): void {
    this.#known.set(saleId, { needsPass, nowMs, readAtMs });
  }

  /** Reads a sale again in the background. A failure is no news: the gate keeps what it knows. */
  #refresh(saleId: string): void {
    if (this.#reading.has(saleId)) return;
    this.#reading.add(saleId);
    this.#sales.ask(saleId, sale => {
      this.#reading.delete(saleId);
      if (sale) this.#remember(saleId, sale);
    });
  }

  #report(): void {
    clicksWithoutPass(this.#refused);
    this.#refused = noneRefused();
  }
}

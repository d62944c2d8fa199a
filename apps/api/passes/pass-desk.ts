import { type ChallengeKey, isSolved, issueChallenge } from '#core/identity/challenge.js';
import { type PassKey, signPass } from '#core/identity/pass.js';
import { crashPoint } from '#core/process/crash-point.js';
import { passAnswered } from '#core/process/telemetry.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { PASS_LEAD_MS, PASS_LIFE_MS, passUsefulAtMs } from '#core/rules/sale.js';
import type { Admission } from '../load/load.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';

/** The most challenges that are made and solutions that are verified at once. Each takes about 1 ms. */
const WORKING_MAX = 500;

/** While the process is busy, a challenge asks for at most this many times the work that the sale asks for. */
const HARDER_MAX = 4;

/** The parts of the API that give passes. */
export interface PassParts {
  readonly sales: Pick<Sales, 'find'>;
  readonly load: Admission & { readonly slowdown: number };
  /** The keys of passes and challenges. The first one signs; while AUTH_SECRET is rotated, a second one verifies. */
  readonly passKeys: readonly PassKey[];
  readonly challengeKeys: readonly ChallengeKey[];
}

/** A buyer who asks for a pass. */
interface Asking {
  saleId: string;
  buyerId: string;
  /** The solution of an earlier challenge. */
  solution?: string | undefined;
}

/** Gives passes to buyers, after a proof of work if the sale asks for one. It stores nothing. */
export class PassDesk {
  readonly #parts: PassParts;
  #working = 0;

  constructor(parts: PassParts) {
    this.#parts = parts;
  }

  /**
   * Answers a buyer who asks for a pass.
   *
   * @returns the pass, or a challenge to be solved first
   * @throws Problem `unknown_sale`, `no_pass_needed`, `pass_too_early`, `sale_closed`, `bad_solution`, `overloaded` or
   *   `too_many_requests`; the failure of Redis
   */
  async answer(asking: Asking): Promise<object> {
    this.#parts.load.admit('claim');
    const sale = await this.#parts.sales.find(asking.saleId);
    const nowMs = redisNowMs(sale);
    refuseUntimely(sale, nowMs);
    if (sale.passWork > 0) {
      const challenge = await this.#bounded(() => this.#challenge(sale, asking));
      if (challenge) return { challenge };
    }
    const pass = this.#passFor(sale, asking, nowMs);
    passAnswered('issued');
    await crashPoint('pass.signed');
    return pass;
  }

  /** Returns a challenge for a buyer who sent no solution; undefined when the solution is right. */
  async #challenge({ id: saleId, passWork }: RecentSale, { buyerId, solution }: Asking): Promise<object | undefined> {
    const { challengeKeys, load } = this.#parts;
    if (solution === undefined) {
      passAnswered('challenged');
      const tries = passWork * Math.min(HARDER_MAX, load.slowdown);
      return issueChallenge(challengeKeys[0] as ChallengeKey, { saleId, buyerId }, tries);
    }
    if (await isSolved(challengeKeys, solution, { saleId, buyerId, leastTries: passWork })) return undefined;
    throw refused('bad_solution');
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working >= WORKING_MAX) throw new Problem('too_many_requests', { retryAfterSeconds: 1 });
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  #passFor(sale: RecentSale, { buyerId }: Asking, nowMs: number): object {
    const notBeforeMs = passUsefulAtMs(sale);
    const expiresAtMs = Math.round(Math.min(sale.closesAtMs, Math.max(nowMs, notBeforeMs) + PASS_LIFE_MS));
    const pass = signPass(this.#parts.passKeys[0] as PassKey, { saleId: sale.id, buyerId, notBeforeMs, expiresAtMs });
    return { pass, notBefore: new Date(notBeforeMs).toISOString(), expires: new Date(expiresAtMs).toISOString() };
  }
}

function refuseUntimely(sale: RecentSale, nowMs: number): void {
  if (!sale.needsPass) throw new Problem('no_pass_needed');
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) throw new Problem('sale_closed');
  const waitMs = passUsefulAtMs(sale) - PASS_LEAD_MS - nowMs;
  if (waitMs > 0) throw refused('pass_too_early', Math.ceil(waitMs / SECOND_MS));
}

function refused(code: 'bad_solution' | 'pass_too_early', retryAfterSeconds?: number): Problem {
  passAnswered(code);
  return new Problem(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

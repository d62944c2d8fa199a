import type { IncomingMessage, ServerResponse } from 'node:http';
import { firstClickAtMs, PASS_LEAD_MS, signPass } from '#core/identity/pass.js';
import type { PassWork, Worker } from '#core/identity/pass-work.js';
import type { ReceiptKey } from '#core/identity/receipt.js';
import type { TokenVerifier } from '#core/identity/token.js';
import { passAsked } from '#core/process/telemetry.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { BODY_BYTES_MAX, readBody } from '../http/body.js';
import { buyerOf } from '../http/buyer.js';
import { ANSWER_MS } from '../http/deadline.js';
import type { LimitCheck } from '../http/limit-kind.js';
import { sendError } from '../http/problem.js';
import { sendJson } from '../http/reply.js';
import type { Admission, Load } from '../load/load.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';
import { type FirstListener, postListener } from './first-listener.js';

/** The parts of the API that give passes. */
export interface PassParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: LimitCheck;
  readonly load: Admission & Pick<Load, 'level'>;
  readonly passWork: PassWork;
  readonly sales: Pick<Sales, 'find'>;
  /** The key of receipts signs passes, too. */
  readonly receiptKey: ReceiptKey;
}

/**
 * Creates the listener for `POST /pass/:saleId`. A whole crowd asks shortly before an opening, so it uses no framework.
 * Nothing is stored: passes and challenges are signatures.
 */
export function createPassListener(parts: PassParts): FirstListener {
  return postListener('/pass/', (req, res, saleId) => {
    answer(parts, { req, res, saleId }).catch(error => sendError(res, error, 'pass'));
  });
}

interface Asked {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly saleId: string;
}

async function answer(parts: PassParts, { req, res, saleId }: Asked): Promise<void> {
  const body = await readBody(req, res, BODY_BYTES_MAX);
  if (!body) return;
  if (!ID_PATTERN.test(saleId)) throw new Problem('invalid_request', { detail: 'no sale has an id like this' });
  const buyerId = buyerOf(req, parts.verifyToken);
  parts.limits.check('passes', buyerId);
  parts.load.admit('claim');
  const solution = solutionIn(body);
  const giving = passFor(parts, { saleId, buyerId }, solution);
  sendJson(res, { status: 200, body: await withDeadline(giving, ANSWER_MS, 'giving a pass') });
}

/**
 * Reads the solution from a body. Clients and proxies may send other bodies out of habit: they have none.
 *
 * @throws Problem `bad_solution` for one that is no text
 */
function solutionIn(body: Buffer): string | undefined {
  let solution: unknown;
  try {
    solution = JSON.parse(body.toString())?.solution;
  } catch {
    return undefined;
  }
  if (solution === undefined || typeof solution === 'string') return solution;
  throw new Problem('bad_solution');
}

/** Returns a pass, or the challenge that has to be solved before. */
async function passFor(parts: PassParts, worker: Worker, solution: string | undefined): Promise<object> {
  const sale = await parts.sales.find(worker.saleId);
  refuseOutOfTime(sale, redisNowMs(sale));
  const { passWork } = sale;
  if (passWork > 0) {
    // Under load the work grows, fourfold at most, so that passes are asked for more slowly.
    const work = passWork * (1 + parts.load.level);
    if (solution === undefined) {
      const challenge = await parts.passWork.challenge(worker, work);
      passAsked('challenged');
      return { challenge };
    }
    if (!(await parts.passWork.isSolved(worker, solution))) throw new Problem('bad_solution');
  }
  const { pass, text } = signPass(parts.receiptKey, sale, { buyerId: worker.buyerId, nowMs: redisNowMs(sale) });
  passAsked('given');
  const { fromMs, untilMs } = pass;
  return { pass: text, validFrom: new Date(fromMs).toISOString(), validUntil: new Date(untilMs).toISOString() };
}

/** @throws Problem for a sale in which there is no pass yet, or no more */
function refuseOutOfTime(sale: RecentSale, nowMs: number): void {
  if (sale.state === 'closed' || nowMs >= sale.closesAtMs) throw new Problem('sale_closed');
  const earlyMs = firstClickAtMs(sale) - PASS_LEAD_MS - nowMs;
  if (earlyMs <= 0) return;
  const detail = `there are passes from ${PASS_LEAD_MS / SECOND_MS} s before buyers may click`;
  throw new Problem('pass_too_early', { detail, retryAfterSeconds: Math.ceil(earlyMs / SECOND_MS) });
}

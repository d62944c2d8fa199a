import { faultOf, type PassFault } from '#core/identity/pass.js';
import type { ReceiptKey } from '#core/identity/receipt.js';
import { passesRefused } from '#core/process/telemetry.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { RefuseAtTurnEnd } from '../batching/turn-refusals.js';
import { WAITING_MAX } from '../http/deadline.js';
import { PreparedProblem, sendError, sendProblem } from '../http/problem.js';
import { type LastingSale, redisNowMs, type Sales } from '../mirror/sales.js';
import type { Click } from './send-claim.js';

/** The header in which a buyer shows a pass, in the form of Node. */
const HEADER = 'dropline-pass';

/** Seconds for `Retry-After` before the time of a pass. The client knows the opening; this bounds how often it tries. */
const EARLY_RETRY_SECONDS = 1;

/** The refusals, prepared, as a flood of forged passes must cost little. */
const REFUSALS: Readonly<Record<PassFault | 'missing', PreparedProblem>> = {
  missing: new PreparedProblem('pass_required'),
  bad: new PreparedProblem('bad_pass'),
  expired: new PreparedProblem('pass_expired'),
  early: new PreparedProblem('pass_too_early', {
    detail: 'the pass is valid from the moment at which buyers may click',
    retryAfterSeconds: EARLY_RETRY_SECONDS,
  }),
};

/** The parts of the API that judge passes. */
export interface PassGateParts {
  readonly sales: Pick<Sales, 'ask' | 'lasting'>;
  /** The keys of receipts sign passes, too. */
  readonly receiptKeys: readonly ReceiptKey[];
  readonly refuse: RefuseAtTurnEnd;
}

/** Lets a click pass, or answers it with a refusal. `enter` is called at most once, and may throw what the click answers. */
export type PassGate = (click: Click, enter: () => void) => void;

/**
 * Creates the gate of the sales that need a pass. A refusal costs no I/O. Only of a sale of which this process knows nothing
 * must Redis be asked, once for all its clicks: until then nobody is let in.
 */
export function createPassGate({ sales, receiptKeys, refuse }: PassGateParts): PassGate {
  const count = createCounter();
  let waiting = 0;

  function judge(sale: LastingSale, click: Click, enter: () => void): void {
    const refusal = sale.needsPass ? refusalOf(receiptKeys, sale, click) : undefined;
    if (refusal) {
      count(refusal.code);
      refuse(click.res, refusal);
    } else enter();
  }

  function judgeLater(click: Click, enter: () => void): void {
    if (waiting >= WAITING_MAX) return void sendProblem(click.res, 'too_many_requests', { retryAfterSeconds: 1 });
    waiting += 1;
    sales.ask(click.saleId, (sale, error) => {
      waiting -= 1;
      try {
        if (!sale) throw error;
        judge(sale, click, enter);
      } catch (problem) {
        sendError(click.res, problem, 'buy');
      }
    });
  }

  return (click, enter) => {
    const sale = sales.lasting(click.saleId);
    if (sale) judge(sale, click, enter);
    else judgeLater(click, enter);
  };
}

function refusalOf(
  keys: readonly ReceiptKey[],
  sale: LastingSale,
  { req, saleId, buyerId }: Click,
): PreparedProblem | undefined {
  const text = req.headers[HEADER];
  // Node joins the values of a header that comes twice, so that they are no pass.
  if (typeof text !== 'string') return REFUSALS.missing;
  const fault = faultOf(keys, text, { saleId, buyerId, nowMs: redisNowMs(sale) });
  return fault && REFUSALS[fault];
}

/** Creates the function that counts refusals, and reports them once a second: counting each in the metrics costs as much as sending it. */
function createCounter(): (code: string) => void {
  let counts = new Map<string, number>();

  function report(): void {
    passesRefused(counts);
    counts = new Map();
  }

  return code => {
    // A process that ends need not wait for its last figures.
    if (counts.size === 0) setTimeout(report, SECOND_MS).unref();
    counts.set(code, (counts.get(code) ?? 0) + 1);
  };
}

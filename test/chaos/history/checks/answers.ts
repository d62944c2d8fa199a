import { type ClaimView, groupBy, type OrderFacts, type SaleFacts } from '../claim-view.js';
import type { Evidence, Violation } from '../evidence.js';
import type { Operation } from '../history.js';

/** Refusals that say that the buyer has nothing. */
const HAS_NOTHING = new Set(['sold_out', 'sale_closed', 'not_open', 'unknown_sale']);

const byBuyer = ({ saleId, buyerId }: { saleId: string; buyerId: string }): string => `${saleId} ${buyerId}`;

/**
 * Checks the answers against the claims, and the orders against the calls.
 *
 * @param views the claims of the evidence
 * @returns answers that were untrue, and orders or ends that nobody asked for
 */
export function checkAnswers(evidence: Evidence, views: readonly ClaimView[]): Violation[] {
  const operations = groupBy(evidence.operations, byBuyer);
  const claims = groupBy(views, byBuyer);
  const sales = new Map(evidence.sales.map(sale => [sale.id, sale]));
  const ofBuyer = (item: { saleId: string; buyerId: string }) => operations.get(byBuyer(item)) ?? [];
  return [
    ...evidence.operations.flatMap(surprise),
    ...evidence.operations.flatMap(operation => untrue(operation, claims.get(byBuyer(operation)) ?? [])),
    ...evidence.operations.flatMap(operation => traced(operation, ofBuyer(operation))),
    ...evidence.operations.flatMap(operation => outsideWindow(operation, sales.get(operation.saleId))),
    ...evidence.orders.flatMap(order => uninvited(order, ofBuyer(order), sales.get(order.saleId))),
  ];
}

/** Reports an answer that means a defect: every expected failure has an answer of its own. */
function surprise({ http, call, buyerId, saleId, code }: Operation): Violation[] {
  const isSurprise = http === 500 || (http === 404 && code === 'unknown_sale');
  if (!isSurprise) return [];
  return [
    { rule: 'no_surprise', text: `${call} of ${buyerId} in ${saleId} was answered ${http} ${code ?? ''}`.trimEnd() },
  ];
}

/** Reports the answer "nothing" to a buyer who held a claim from the question to the answer. */
function untrue(operation: Operation, claims: readonly ClaimView[]): Violation[] {
  const { call, outcome, code, status, buyerId, saleId, invokedAtMs, endedAtMs } = operation;
  const refused = call === 'buy' && outcome === 'fail' && HAS_NOTHING.has(code ?? '');
  const denied = outcome === 'ok' && ['none', 'standby', 'closed'].includes(status ?? '') && call !== 'cancel';
  if (!refused && !denied) return [];
  const held = claims.find(({ liveFromMs, liveToMs }) => liveFromMs < invokedAtMs && liveToMs > endedAtMs);
  if (!held) return [];
  const text = `${buyerId} was told ${code ?? status} in ${saleId} while holding claim ${held.claimId}`;
  return [{ rule: 'no_untrue_refusal', text }];
}

/** Reports a status of a buyer who was only refused: the sale must not know that buyer. */
function traced(operation: Operation, ofBuyer: readonly Operation[]): Violation[] {
  const { call, outcome, status, buyerId, saleId, endedAtMs } = operation;
  if (call !== 'order-status' || outcome !== 'ok' || status === 'none') return [];
  const mayHaveWon = ofBuyer.some(
    other => other.call === 'buy' && other.outcome !== 'fail' && other.invokedAtMs <= endedAtMs,
  );
  if (mayHaveWon) return [];
  return [{ rule: 'refused_leaves_no_trace', text: `${buyerId} was refused in ${saleId}, and has status ${status}` }];
}

function outsideWindow(operation: Operation, sale: SaleFacts | undefined): Violation[] {
  const { call, http, status, buyerId, invokedAtMs, endedAtMs } = operation;
  const won = call === 'buy' && http === 202 && status === 'queued';
  if (!won || !sale || (endedAtMs >= sale.opensAtMs && invokedAtMs < sale.closesAtMs)) return [];
  return [{ rule: 'inside_the_window', text: `${buyerId} won in ${sale.id} while it was not open` }];
}

function uninvited(order: OrderFacts, ofBuyer: readonly Operation[], sale: SaleFacts | undefined): Violation[] {
  const { claimId, buyerId, status, reason } = order;
  const mayHave = (call: Operation['call']) => ofBuyer.some(other => other.call === call && other.outcome !== 'fail');
  const violations: Violation[] = [];
  const add = (rule: Violation['rule'], what: string) =>
    violations.push({ rule, text: `order ${claimId} of ${buyerId} in ${order.saleId} ${what}` });
  if (!mayHave('buy')) add('no_order_without_a_buyer', 'belongs to nobody who may have won it');
  if (reason === 'cancelled_by_buyer' && !mayHave('cancel')) add('ended_by_its_buyer', 'was cancelled by nobody');
  if (
    (reason === 'unpaid' || reason === 'provider_failed') &&
    order.endedAtMs !== null &&
    order.endedAtMs < order.payByMs
  ) {
    add('no_early_expiry', `expired ${order.payByMs - order.endedAtMs} ms before its deadline`);
  }
  if (status === 'paid' && sale?.settlement === 'deferred' && !mayHave('pay'))
    add('paid_by_its_buyer', 'was paid by nobody');
  if (status === 'paid' && sale?.provider === 'signed-webhook' && !mayHave('pay-elsewhere'))
    add('paid_by_its_buyer', 'was paid by nobody at the provider');
  if (status === 'refunded' && !mayHave('refund')) add('refunded_by_the_shop', 'was refunded by nobody');
  const confirmed = ofBuyer.some(
    ({ call, outcome, ...reply }) => call === 'refund' && outcome === 'ok' && reply.claimId === claimId,
  );
  if (confirmed && status !== 'refunded') add('refunded_by_the_shop', `was refunded, and is ${status}`);
  return violations;
}

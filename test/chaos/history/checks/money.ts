import type { Evidence, Violation } from '../evidence.js';
import { disagreement } from '../payment-facts.js';

/**
 * Checks that money is neither created nor lost. In every read, buyers and shop have the money that was put in and came
 * through providers. At rest, our books and the provider's agree on each payment.
 *
 * @returns the reads and the payments for which that is untrue
 */
export function checkMoney(evidence: Evidence): Violation[] {
  return [...wrongReads(evidence), ...wrongPayments(evidence)];
}

function wrongReads({ bank, operations }: Evidence): Violation[] {
  const credits = operations.filter(({ call }) => call === 'credit');
  const payments = operations.filter(({ call }) => call === 'pay-elsewhere');
  return bank.flatMap(({ atMs, readAtMs, buyersMinor, shopMinor, creditedMinor, providerMinor, lowestMinor }) => {
    const when = new Date(atMs).toISOString();
    const violations: Violation[] = [];
    if (buyersMinor + shopMinor !== creditedMinor + providerMinor) {
      const text = `at ${when} buyers have ${buyersMinor} and the shop ${shopMinor}, of ${creditedMinor} put in and ${providerMinor} from providers`;
      violations.push({ rule: 'bank', text });
    }
    if (lowestMinor < 0) violations.push({ rule: 'bank', text: `at ${when} a buyer has ${lowestMinor}` });
    const least = sum(credits.filter(({ outcome, endedAtMs }) => outcome === 'ok' && endedAtMs < atMs));
    const most = sum(credits.filter(({ outcome, invokedAtMs }) => outcome !== 'fail' && invokedAtMs <= atMs));
    if (creditedMinor < least || creditedMinor > most) {
      const text = `at ${when} ${creditedMinor} was put in by the books, and by the clients ${least} to ${most}`;
      violations.push({ rule: 'bank_is_what_was_put_in', text });
    }
    const paid = sum(payments.filter(({ invokedAtMs }) => invokedAtMs <= readAtMs));
    if (providerMinor < 0 || providerMinor > paid) {
      const text = `at ${when} ${providerMinor} came from providers by the books, and buyers had paid ${paid} there`;
      violations.push({ rule: 'bank_is_what_was_put_in', text });
    }
    return violations;
  });
}

function wrongPayments({ payments, bank }: Evidence): Violation[] {
  const rule = 'books_agree' as const;
  const different = payments.flatMap(payment => {
    const what = disagreement(payment);
    if (what === undefined) return [];
    return [{ rule, text: `payment ${payment.paymentId} of order ${payment.orderId}: the provider ${what}` }];
  });
  const keptMinor = payments.reduce(
    (total, payment) => total + payment.takenMinor - payment.returnedMinor - payment.withheldMinor,
    0,
  );
  const bookedMinor = bank.at(-1)?.providerMinor ?? keptMinor;
  if (bookedMinor === keptMinor) return different;
  return [...different, { rule, text: `providers have kept ${keptMinor}, and ${bookedMinor} came by our books` }];
}

const sum = (credits: readonly { amountMinor?: number }[]): number =>
  credits.reduce((total, { amountMinor }) => total + (amountMinor ?? 0), 0);

import type { Evidence, Violation } from './evidence.js';

/**
 * Money is never made nor lost: at every look, what buyers have and the shop has is what was put in.
 *
 * @param evidence the history
 * @returns the looks at which it was not
 */
export function checkMoney({ bank, operations }: Evidence): Violation[] {
  const credits = operations.filter(({ call }) => call === 'credit');
  return bank.flatMap(({ atMs, buyersMinor, shopMinor, creditedMinor, lowestMinor }) => {
    const when = new Date(atMs).toISOString();
    const violations: Violation[] = [];
    if (buyersMinor + shopMinor !== creditedMinor) {
      const text = `at ${when} buyers have ${buyersMinor} and the shop ${shopMinor}, of ${creditedMinor} put in`;
      violations.push({ rule: 'bank', text });
    }
    if (lowestMinor < 0) violations.push({ rule: 'bank', text: `at ${when} a buyer has ${lowestMinor}` });
    const least = sum(credits.filter(({ outcome, endedAtMs }) => outcome === 'ok' && endedAtMs < atMs));
    const most = sum(credits.filter(({ outcome, invokedAtMs }) => outcome !== 'fail' && invokedAtMs <= atMs));
    if (creditedMinor < least || creditedMinor > most) {
      const text = `at ${when} ${creditedMinor} was put in by the books, and by the clients ${least} to ${most}`;
      violations.push({ rule: 'bank_is_what_was_put_in', text });
    }
    return violations;
  });
}

const sum = (credits: readonly { amountMinor?: number }[]): number =>
  credits.reduce((total, { amountMinor }) => total + (amountMinor ?? 0), 0);

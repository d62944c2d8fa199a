import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { applyEvent } from '#core/postgres/money/payment-report.js';
import { readStatuses } from '#core/redis/claims/status.js';
import { paidReport } from '../../support/money/reading.js';
import { askToPay, usePayments } from '../../support/payments.js';
import { openTestSale } from '../../support/sales.js';

const t = usePayments();

// A round looks at a quiet sale that is new to it after a time by chance: here after the longest.
beforeEach(() => void jest.spyOn(Math, 'random').mockReturnValue(0.999));
afterEach(() => void jest.restoreAllMocks());

test('a buyer learns of a payment in the first round after a long outage of every worker', async () => {
  for (let i = 0; i < 50; i += 1) await openTestSale(t);
  const { sale, claim } = await askToPay(t, 'ann');
  await reconcileAll(t);
  await t.fake.pay(claim.claimId);
  const report = await paidReport(t, claim.claimId);
  await applyEvent(t.db, 'signed-webhook', { eventId: `evt_${claim.claimId}`, type: 'any', report });
  await t.db.$executeRaw`UPDATE payments SET updated_at = updated_at - interval '10 minutes'`;

  await reconcileAll(t, new Pace());

  expect(await readStatuses(t.redis, sale.id, ['ann'])).toMatchObject([{ claim: { status: 'paid' } }]);
});

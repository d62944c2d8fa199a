import type { Edit } from '../../support/scratch.js';
import { type Bug, type Control, one } from '../bug.js';

const RULES = 'core/postgres/money-rules.ts';

const foundIn = (what: 'orders' | 'transfers' | 'payments'): Control => ({
  kind: 'integration',
  file: 'audit/rules',
  title: `finds nothing but the damage of ${what}`,
});

const inRules = (bug: string, what: 'transfers' | 'payments', edit: Omit<Edit, 'file'>): Bug =>
  one(bug, { file: RULES, ...edit }, foundIn(what));

/** Bugs in the rules of the audit: it finds less than what is wrong, or more. */
export const AUDIT_BUGS: Bug[] = [
  inRules('the audit never finds an order that gives back more than it took', 'transfers', {
    find: 'FROM money WHERE refunded > captured',
    replace: 'FROM money WHERE false',
  }),
  inRules('the audit takes a payment that goes back whole for one that is kept', 'payments', {
    find: "p.paid_order_id = o.id AND p.status = 'paid')",
    replace: 'p.paid_order_id = o.id)',
  }),
  inRules('the audit waits a moment too long for late money', 'payments', {
    find: "interval '60 seconds'",
    replace: "interval '60002 milliseconds'",
  }),
  inRules('the audit adds up disputes in all currencies', 'payments', {
    find: " AND currency = coalesce(p.mismatch ->> 'currency', p.currency)",
    replace: '',
  }),
  inRules('the audit forgets what lost disputes gave back when it looks for refunds that nobody owes', 'payments', {
    find: 'WHERE refund_minor <= returned_minor + compensated_minor + lost_minor',
    replace: 'WHERE refund_minor <= returned_minor + compensated_minor',
  }),
  inRules('the audit sees only one side of a transfer’s currency', 'transfers', {
    find: 'a.id IN (t.debit_account_id, t.credit_account_id)',
    replace: 'a.id = t.debit_account_id',
  }),
  one(
    'the audit reports an order whose payment has time, as its click had to wait',
    {
      file: 'core/postgres/orders/deadline.ts',
      find: "p.status IN ('requested', 'open')",
      replace: "p.status IN ('open')",
    },
    foundIn('orders'),
  ),
];

import type { Edit } from '../../support/scratch.js';
import { type Bug, type Control, one } from '../bug.js';

const RULES = 'core/postgres/money-rules.ts';
const CHECK = 'core/postgres/books/check.ts';
const PAGES = 'core/postgres/books/pages.ts';

const foundIn = (what: 'orders' | 'transfers' | 'payments'): Control => ({
  kind: 'integration',
  file: 'audit/rules',
  title: `finds nothing but the damage of ${what}`,
});

const ofBooks = (title: string): Control => ({ kind: 'integration', file: 'audit/books', title });

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
  one(
    'the audit sees only one side of a transfer’s currency',
    { file: PAGES, find: 'd.currency <> m.currency OR ', replace: '' },
    foundIn('transfers'),
  ),
  one(
    'the audit trusts the checkpoint with the money of its own sale',
    { file: CHECK, find: 'isOver = false; !isOver', replace: 'isOver = true; !isOver' },
    ofBooks('is found at once in its own sale'),
  ),
  one(
    'the audit reads no transfer that is newer than the checkpoint',
    { file: CHECK, find: 'after: bigint | null = from;', replace: 'after: bigint | null = null;' },
    ofBooks('a balance that went wrong with a new transfer'),
  ),
  one(
    'the audit reads one page of what is new',
    {
      file: CHECK,
      find: '      after = page.last;\n    }\n  }\n  return',
      replace: '      after = null;\n    }\n  }\n  return',
    },
    ofBooks('a transfer on the last page of new ones'),
  ),
  one(
    'the audit reads one page of a large sale',
    { file: CHECK, find: '    after = page.last;\n  }\n  for', replace: '    after = undefined;\n  }\n  for' },
    ofBooks('the wallet of the last buyer of a large sale'),
  ),
  one(
    'the checkpoint passes transfers whose transactions are under way',
    { file: CHECK, find: 'read.isCommitted ? await moveOn(db, read) : read', replace: 'await moveOn(db, read)' },
    ofBooks('the checkpoint does not pass a transfer'),
  ),
  one(
    'the walk through the books forgets what it finds',
    {
      file: CHECK,
      find: '    const { broken, last } = await check(db, { after, upTo });\n    await insertFindings(db, broken);',
      replace: '    const { last } = await check(db, { after, upTo });',
    },
    ofBooks('is not found in other sales before the walk'),
  ),
  one(
    'a broken row of the books is reported once',
    {
      file: CHECK,
      find: '  await forgetMended(db, broken, read.readAt);',
      replace: '  await forgetMended(db, { unbalanced: [], negative: [], foreign: [] }, read.readAt);',
    },
    ofBooks('is not found in other sales before the walk'),
  ),
  one(
    'a mended row of the books is never forgotten',
    { file: CHECK, find: '  await forgetMended(db, broken, read.readAt);', replace: '' },
    ofBooks('is not found in other sales before the walk'),
  ),
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

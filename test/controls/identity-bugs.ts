import { type Bug, one } from './bug.js';

/** Bugs in tokens and receipts. */
export const IDENTITY_BUGS: Bug[] = [
  one(
    'a receipt does not name its buyer',
    {
      file: 'core/identity/receipt.ts',
      find: '{buyerId}.$',
      replace: "{'anybody'}.$",
    },
    { kind: 'unit', file: 'core/receipt', title: 'a receipt of another buyer is refused' },
  ),
  one(
    "a buyer's id may have any spelling",
    {
      file: 'core/identity/token.ts',
      find: "typeof sub === 'string' && ID_PATTERN.test(sub) ? sub : undefined",
      replace: "typeof sub === 'string' ? sub : undefined",
    },
    { kind: 'unit', file: 'core/token', title: 'a token with the buyer' },
  ),
];

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
    { kind: 'unit', file: 'core/identity/receipt', title: 'a receipt of another buyer is refused' },
  ),
  one(
    "a buyer's id may have any spelling",
    { file: 'core/identity/buyer-id.ts', find: '!NAME.test(name)', replace: "name === ''" },
    { kind: 'unit', file: 'core/identity/buyer-id', title: 'does not exist for' },
  ),
  one(
    "an attacker may choose another buyer's derived id as a name",
    { file: 'core/identity/buyer-id.ts', find: 'DERIVED.test(name) ? undefined : name', replace: 'name' },
    { kind: 'unit', file: 'core/identity/buyer-id', title: 'is never that of another name' },
  ),
  one(
    'a token that was made for something else logs in',
    {
      file: 'core/identity/token.ts',
      find: 'claims.aud === undefined || isFor(claims.aud, rules.audience)',
      replace: 'claims.aud === undefined || claims.aud',
    },
    { kind: 'unit', file: 'core/identity/token', title: 'is foreign' },
  ),
  one(
    'an issue in the future hides the long life of a token',
    {
      file: 'core/identity/token.ts',
      find: 'Math.min(iat * 1_000, nowMs)',
      replace: 'iat * 1_000',
    },
    { kind: 'unit', file: 'core/identity/token', title: 'may not be' },
  ),
  one(
    'an audience with a longer name passes',
    {
      file: 'core/identity/token.ts',
      find: 'return aud === audience || (Array.isArray(aud) && aud.includes(audience));',
      replace: "return (typeof aud === 'string' || Array.isArray(aud)) && aud.includes(audience);",
    },
    { kind: 'unit', file: 'core/identity/token', title: 'is foreign' },
  ),
  one(
    'a pass does not name its buyer',
    {
      file: 'core/identity/pass.ts',
      find: '.update(fields)',
      replace: ".update(fields.replace(/\\.[^.]*/, ''))",
    },
    { kind: 'unit', file: 'core/identity/pass', title: 'of another buyer' },
  ),
  one(
    'a pass never ends',
    {
      file: 'core/identity/pass.ts',
      find: 'nowMs > Number(expiresAtMs)',
      replace: 'Number(expiresAtMs) < 0 && nowMs > Number(expiresAtMs)',
    },
    { kind: 'unit', file: 'core/identity/pass', title: 'later than that' },
  ),
  one(
    'the solution of an easier challenge gives a pass',
    {
      file: 'core/identity/challenge.ts',
      find: 'data?.tries) < leastTries',
      replace: 'data?.tries) < Math.min(1, leastTries)',
    },
    { kind: 'unit', file: 'core/identity/challenge', title: 'of a challenge that asked for too little work' },
  ),
  one(
    'the solution of another buyer gives a pass',
    {
      file: 'core/identity/challenge.ts',
      find: '{ saleId, buyerId }: Solver) {',
      replace: "{ saleId }: Solver) {\n  const buyerId = 'anybody';",
    },
    { kind: 'unit', file: 'core/identity/challenge', title: 'of another buyer' },
  ),
  {
    bug: 'a click is let in before it is known whether it needs a pass',
    edits: [
      {
        file: 'apps/api/passes/pass-gate.ts',
        find: 'if (!sale) throw',
        replace: 'if (!sale) return undefined;\n    if (!sale) throw',
      },
      { file: 'apps/api/listeners/buy.ts', find: 'if (parts.passes.knows(saleId))', replace: "if (saleId !== '')" },
    ],
    caughtBy: { kind: 'integration', file: 'passes/pass', title: 'in a sale that this process does not know yet' },
  },
];

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
    'a pass does not name its buyer',
    { file: 'core/identity/pass.ts', find: '{buyerId}.$', replace: "{'anybody'}.$" },
    { kind: 'unit', file: 'core/identity/pass', title: 'a pass of another buyer is refused' },
  ),
  one(
    'a pass never expires',
    { file: 'core/identity/pass.ts', find: "? 'expired' : undefined", replace: '? undefined : undefined' },
    { kind: 'unit', file: 'core/identity/pass', title: 'later: expired' },
  ),
  one(
    'a challenge does not name its buyer',
    { file: 'core/identity/pass-work.ts', find: '{buyerId}`).digest', replace: "{'anybody'}`).digest" },
    { kind: 'unit', file: 'core/identity/pass-work', title: 'when another buyer sends it' },
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
];

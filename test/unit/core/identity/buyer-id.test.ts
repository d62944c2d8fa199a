import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buyerIdOf, namedBuyerId } from '#core/identity/buyer-id.js';
import { ID_PATTERN } from '#core/rules/claim.js';

const RUNS = { numRuns: 500 };

const ids = fc.stringMatching(ID_PATTERN);
const texts = fc.string({ unit: 'binary', maxLength: 300 });
const printable = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 80 });
const mails = fc
  .tuple(fc.stringMatching(/^[a-zA-Z.]{1,4}$/), fc.constantFrom('@a.bc', '@A.bc', '@a'))
  .map(parts => parts.join(''));
const names = fc.oneof(ids, texts, printable, mails);

const mailAddress = /^[^@|:/]+@[^@|:/]+\.[^@|:/.]+$/;
const sameMail = (a: string, b: string) => mailAddress.test(a) && a.toLowerCase() === b.toLowerCase();

describe("a buyer's id", () => {
  test('is the name, for a name in the form of an id', () => {
    fc.assert(
      fc.property(ids, id => expect(buyerIdOf(id)).toBe(id)),
      RUNS,
    );
  });

  test('always has the form of an id', () => {
    fc.assert(
      fc.property(names, name => expect(buyerIdOf(name) ?? 'none').toMatch(ID_PATTERN)),
      RUNS,
    );
  });

  test('is never that of another name, unless both are one mail address', () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 30 }), list => {
        const named = new Map<string, string>();
        // An attacker may also choose the id of another buyer as a name.
        for (const name of [...list, ...list.map(other => buyerIdOf(other) ?? '')]) {
          const id = buyerIdOf(name);
          if (id === undefined) continue;
          const before = named.get(id) ?? name;
          expect(before === name || sameMail(before, name)).toBe(true);
          named.set(id, name);
        }
      }),
      RUNS,
    );
  });

  test.each([
    ['auth0|64f1c2', 'id-sha256-t8VjDoSBmBbO5nBa2ODWD1U9FkeEFs16F2bahZWUHSk'],
    ['gid://shopify/Customer/207', 'id-sha256-y-BEBGJpWGP2eDCLpNkspQtmLT6dlH2vsE6Yxu02ArQ'],
    ['001234.abcd.5678', 'id-sha256--ROHY4EK063SlnW_fIJ4swRMZ1Yzf38LUiO-UqCPlQ4'],
    ['Mia@Example.com', 'id-sha256-mYV_4RHfH3cijFC6zIrPAK_BUW18OP6QifAqHn4NUS0'],
    ['mia@example.com', 'id-sha256-mYV_4RHfH3cijFC6zIrPAK_BUW18OP6QifAqHn4NUS0'],
    ['103274652981734650123', '103274652981734650123'],
  ])('of %s never changes between versions: orders and wallets have it', (name, id) => {
    expect(buyerIdOf(name)).toBe(id);
  });

  test.each([
    ['auth0|Mia@a.example', 'auth0|mia@a.example'],
    ['AbC@clients', 'abc@clients'],
    ['Mia', 'mia'],
  ])('of %s differs from that of %s: only a mail address ignores its letter case', (one, other) => {
    expect(buyerIdOf(one)).not.toBe(buyerIdOf(other));
  });

  // The Kelvin sign and K are one letter in lower case and in Unicode's normal form.
  test.each(['', 'a b', 'a\n', 'ä', 'mi\u212a@example.com', '\ud800', 'x'.repeat(256)])(
    'does not exist for %j',
    name => {
      expect(buyerIdOf(name)).toBeUndefined();
    },
  );

  test('that was derived names its buyer to an operator, and nobody in a token', () => {
    const derived = buyerIdOf('auth0|ann') ?? '';
    expect(buyerIdOf(derived)).toBeUndefined();
    expect(namedBuyerId(derived)).toBe(derived);
    expect(namedBuyerId('auth0|ann')).toBe(derived);
    expect(namedBuyerId('ann')).toBe('ann');
    expect(namedBuyerId('a b')).toBeUndefined();
  });
});

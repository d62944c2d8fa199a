import { beforeAll, describe, expect, test } from '@jest/globals';
import { brokenRules, ORDER_RULES } from '#core/postgres/audit.js';
import { BOOKS_RULES } from '#core/postgres/books/pages.js';
import type { Transaction } from '#core/postgres/database.js';
import { MONEY_RULES } from '#core/postgres/money-rules.js';
import { type GoodMoney, openGoodSales } from '../../support/money/good-money.js';
import { usePayments } from '../../support/payments.js';
import { freezeClock } from '../../support/postgres/frozen-clock.js';
import type { Damage } from './damage.js';
import { MONEY_DAMAGE, RULES_OF_ALL_SALES } from './money-damage.js';
import { ORDER_DAMAGE } from './order-damage.js';
import { PAYMENT_DAMAGE } from './payment-damage.js';

// The audit proves itself: damage of real data for each rule, and neighbours of the damage that break no rule. The result is
// compared as a whole, so a rule that finds less is noticed, and one that finds more. The damage is rolled back.

const t = usePayments();
let damaged: GoodMoney;
let neighbour: GoodMoney;

beforeAll(async () => {
  [damaged, neighbour] = (await openGoodSales(t, ['damaged', 'neighbour'])) as [GoodMoney, GoodMoney];
});

const ROLLED_BACK = 'the damage is rolled back';

const DAMAGE = [...ORDER_DAMAGE, ...MONEY_DAMAGE, ...PAYMENT_DAMAGE];

const found = async (tx: Transaction, saleId: string) =>
  Object.fromEntries((await brokenRules(tx, saleId)).map(({ rule, rows }) => [rule, rows]));

/** Does damage at a time that stands still, and audits the damaged sale and the neighbour of the same kind. */
async function audited({ statements, ofWallet }: Damage) {
  const results: Record<string, number>[] = [];
  const work = t.db.$transaction(async tx => {
    await freezeClock(tx);
    for (const statement of statements(damaged)) await tx.$executeRaw(statement);
    for (const { wallet, sale } of [damaged, neighbour]) results.push(await found(tx, (ofWallet ? wallet : sale).id));
    throw new Error(ROLLED_BACK);
  });
  await expect(work).rejects.toThrow(ROLLED_BACK);
  return results;
}

test('sales whose money has gone every way break no rule', async () => {
  for (const { sale, wallet } of [damaged, neighbour]) {
    expect([await found(t.db, sale.id), await found(t.db, wallet.id)]).toEqual([{}, {}]);
  }
});

describe('the audit', () => {
  const findsIt = async (damage: Damage) => {
    const ofAllSales = Object.entries(damage.broken).filter(([rule]) => RULES_OF_ALL_SALES.includes(rule));
    expect(await audited(damage)).toEqual([damage.broken, Object.fromEntries(ofAllSales)]);
  };

  test.each(ORDER_DAMAGE)('finds nothing but the damage of orders: $text', findsIt);
  test.each(MONEY_DAMAGE)('finds nothing but the damage of transfers: $text', findsIt);
  test.each(PAYMENT_DAMAGE)('finds nothing but the damage of payments: $text', findsIt);

  test('every rule in the SQL has damage that breaks it alone of all rules of one sale', () => {
    const alone = DAMAGE.flatMap(({ broken }) => {
      const rules = Object.keys(broken).filter(rule => !RULES_OF_ALL_SALES.includes(rule));
      return rules.length > 1 ? [] : Object.keys(broken);
    });
    expect([...new Set(alone)].sort()).toEqual(
      [...ORDER_RULES, ...Object.keys(MONEY_RULES), ...Object.values(BOOKS_RULES)].sort(),
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import { checkMoney } from '../../chaos/history/checks/money.js';
import type { BankRead } from '../../chaos/history/history.js';
import { bankRead, DONE, evidenceOf, payment, type WrittenHistory } from './written-history.js';

const REFUSED = { http: 409 };
/** The read of all money begins at 900 ms and is answered at 901 ms. A call takes 10 ms. */
const READ_MS = 900;

const nothing = { buyersMinor: 0, shopMinor: 0, creditedMinor: 0 };
const credited: Partial<BankRead> = { buyersMinor: 100, shopMinor: 0, creditedMinor: 100 };
const fromProvider: Partial<BankRead> = { ...nothing, shopMinor: 100, providerMinor: 100 };

const found = (history: WrittenHistory) => checkMoney(evidenceOf(history));
const rules = (history: WrittenHistory) => found(history).map(({ rule }) => rule);

/** A credit, the money that the read finds, and the broken rules. */
type Credit = [string, number, { http: number }, Partial<BankRead>, string[]];

describe('in a read of all money, a credit', () => {
  test.each<Credit>([
    ['that was confirmed before is missing', READ_MS - 11, DONE, nothing, ['bank_is_what_was_put_in']],
    ['that is confirmed at the same time may be missing', READ_MS - 10, DONE, nothing, []],
    ['that is sent at the same time may be there', READ_MS, DONE, credited, []],
    ['that is sent later can not be there', READ_MS + 1, DONE, credited, ['bank_is_what_was_put_in']],
    ['that was refused can not be there', 100, REFUSED, credited, ['bank_is_what_was_put_in']],
  ])('%s', (_, atMs, reply, read, broken) => {
    expect(rules({ steps: [[atMs, 'credit', 'ann', reply]], bank: [bankRead(read)] })).toEqual(broken);
  });
});

describe('in a read of all money, the money of providers', () => {
  test('may be there if a buyer paid before the answer', () => {
    const paidAt = (atMs: number) =>
      rules({ steps: [[atMs, 'pay-elsewhere', 'ann', DONE]], bank: [bankRead(fromProvider)], payments: [payment({})] });
    expect(paidAt(READ_MS + 1)).toEqual([]);
    expect(paidAt(READ_MS + 2)).toEqual(['bank_is_what_was_put_in']);
  });

  test('is never money that was put into a wallet', () => {
    const bank = [bankRead({ buyersMinor: 100, shopMinor: 100, providerMinor: 100 })];
    const payments = [payment({})];
    expect(rules({ steps: [[100, 'credit', 'ann', DONE]], bank, payments })).toEqual(['bank_is_what_was_put_in']);
  });

  test('is never less than nothing', () => {
    expect(rules({ bank: [bankRead({ ...nothing, shopMinor: -5, providerMinor: -5 })] })).toContain(
      'bank_is_what_was_put_in',
    );
  });

  test('is what it took, less what went back and what disputes withhold', () => {
    const facts = { returnedMinor: 10, refundedMinor: 10, withheldMinor: 40, disputedMinor: 40 };
    const history = (keptMinor: number): WrittenHistory => ({
      steps: [[100, 'pay-elsewhere', 'ann', DONE]],
      bank: [bankRead({ ...nothing, shopMinor: keptMinor, providerMinor: keptMinor })],
      payments: [payment(facts)],
    });
    expect(rules(history(50))).toEqual([]);
    expect(rules(history(51))).toEqual(['books_agree']);
  });
});

describe('a violation names', () => {
  const texts = (history: WrittenHistory) => found(history).map(({ text }) => text);

  test('the amounts of a read, and its time', () => {
    const bank = [bankRead({ buyersMinor: 7, lowestMinor: -3, creditedMinor: 20, providerMinor: 30 })];
    const at = '1970-01-01T00:00:00.900Z';
    expect(texts({ steps: [[100, 'credit', 'ann', DONE]], bank })).toEqual([
      expect.stringMatching(`${at}.* 7 .* 40, .* 20 .* 30 `),
      expect.stringMatching(`${at}.* -3$`),
      expect.stringMatching(`${at} 20 .* 100 to 100$`),
      expect.stringMatching(`${at} 30 .* 0 `),
      expect.stringMatching(/ 0, and 30 /),
    ]);
  });

  test('a payment that the books have differently, and its order', () => {
    expect(texts({ payments: [payment({ takenMinor: 0 })] })).toEqual([
      expect.stringMatching(/payment p of order a: .* took 0, and 100 /),
    ]);
  });
});

import { Prisma } from '#core/postgres/database.js';
import type { GoodMoney } from '../../support/money/good-money.js';
import { PRICE } from '../../support/payments.js';
import { another, type Damage, order, transfer } from './damage.js';

export const CAPTURED_WRONG = 'I5 a paid order has not exactly one capture of its price';
const PART_UNSAID = 'I5 a paid order does not say what went back of it';
const MORE_BACK = 'I5 an order gives back more than it took';
const KEEPS_MONEY = 'I5 an order that is not paid keeps money';
const WRONG_BALANCE = 'I5 a balance is not the sum of its transfers';
const NEGATIVE = 'I5 a balance is negative';
const CURRENCIES = 'I5 a transfer is between accounts of other currencies';
const OTHER_BUYER = 'I5 a capture comes from another buyer than the order';
export const TAKEN_WRONG = 'I5 a payment is taken, and no order was paid with it';

/** The rules that are checked for all sales at once, as a wallet pays in all of them. */
export const RULES_OF_ALL_SALES = [WRONG_BALANCE, NEGATIVE, CURRENCIES];

const ofWallet = ({ walletOrder }: GoodMoney, kind: string, change: Prisma.Sql) =>
  Prisma.sql`UPDATE transfers SET ${change} WHERE order_id = ${walletOrder}::uuid AND kind = ${kind}`;

const wallet = ({ walletBuyer }: GoodMoney, change: Prisma.Sql) =>
  Prisma.sql`UPDATE accounts SET ${change} WHERE kind = 'buyer' AND owner = ${walletBuyer}`;

const accountOf = (kind: string, currency: string) => Prisma.sql`
  INSERT INTO accounts (kind, owner, currency, balance_minor) VALUES (${kind}, 'other', ${currency}, ${kind === 'buyer' ? 0 : null}::bigint)`;

const other = Prisma.sql`(SELECT id FROM accounts WHERE owner = 'other')`;

/** Damage for each rule about transfers and balances, and neighbours of it that break none. */
export const MONEY_DAMAGE: Damage[] = [
  {
    text: 'an order was captured for 1 more than its price',
    broken: { [CAPTURED_WRONG]: 1, [WRONG_BALANCE]: 1 },
    ofWallet: true,
    statements: made => [ofWallet(made, 'capture', Prisma.sql`amount_minor = amount_minor + 1`)],
  },
  {
    text: 'a paid order has two captures that make its price',
    broken: { [CAPTURED_WRONG]: 1, [TAKEN_WRONG]: 1 },
    statements: made => [
      transfer(made, ['kept', 'capture'], Prisma.sql`amount_minor = ${PRICE - 1}`),
      another(made, 'kept', { kind: 'capture', amountMinor: 1 }),
    ],
  },
  {
    text: 'a paid order has no transfer at all',
    broken: { [CAPTURED_WRONG]: 1, [PART_UNSAID]: 1, [WRONG_BALANCE]: 1 },
    ofWallet: true,
    statements: ({ walletOrder }) => [Prisma.sql`DELETE FROM transfers WHERE order_id = ${walletOrder}::uuid`],
  },
  {
    text: 'a paid order says that more went back',
    broken: { [PART_UNSAID]: 1 },
    statements: made => [order(made, 'kept', Prisma.sql`refunded_minor = refunded_minor + 1`)],
  },
  {
    text: 'a refunded order gave back 1 more than it took',
    broken: { [MORE_BACK]: 1 },
    statements: made => [transfer(made, ['back', 'refund'], Prisma.sql`amount_minor = ${PRICE + 1}`)],
  },
  {
    text: 'a refunded order gave back 1 less than it took',
    broken: { [KEEPS_MONEY]: 1 },
    statements: made => [transfer(made, ['back', 'refund'], Prisma.sql`amount_minor = ${PRICE - 1}`)],
  },
  {
    text: 'a refunded order gave all back in two parts',
    broken: {},
    statements: made => [
      transfer(made, ['back', 'refund'], Prisma.sql`amount_minor = ${PRICE - 1}`),
      another(made, 'back', { kind: 'refund', amountMinor: 1 }),
    ],
  },
  {
    text: 'a cancelled order has only a capture',
    broken: { [KEEPS_MONEY]: 1 },
    statements: made => [
      Prisma.sql`DELETE FROM transfers WHERE order_id = ${made.orders.lateBack}::uuid AND kind = 'refund'`,
    ],
  },
  {
    text: 'a wallet has 1 more than its transfers',
    broken: { [WRONG_BALANCE]: 1 },
    statements: made => [wallet(made, Prisma.sql`balance_minor = balance_minor + 1`)],
  },
  {
    text: 'a wallet without transfers has money',
    broken: { [WRONG_BALANCE]: 1 },
    statements: () => [
      accountOf('buyer', 'EUR'),
      Prisma.sql`UPDATE accounts SET balance_minor = 1 WHERE id = ${other}`,
    ],
  },
  {
    text: 'a wallet owes money, as its transfers say',
    broken: { [NEGATIVE]: 1 },
    statements: made => [
      Prisma.sql`ALTER TABLE accounts DROP CONSTRAINT accounts_balance_minor_check`,
      accountOf('buyer', 'EUR'),
      Prisma.sql`UPDATE accounts SET balance_minor = -1 WHERE id = ${other}`,
      Prisma.sql`
        INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
        SELECT order_id, 'dispute', 0, ${other}, credit_account_id, 1, currency
        FROM transfers WHERE order_id = ${made.walletOrder}::uuid AND kind = 'capture'`,
    ],
  },
  ...(['debit', 'credit'] as const).map(
    (side): Damage => ({
      text: `the account that a transfer ${side}s has another currency`,
      broken: { [CURRENCIES]: 1 },
      statements: made => [
        accountOf('external', 'JPY'),
        transfer(made, ['kept', 'capture'], Prisma.sql`${Prisma.raw(`${side}_account_id`)} = ${other}`),
      ],
    }),
  ),
  {
    text: 'a capture comes from the wallet of somebody else',
    broken: { [OTHER_BUYER]: 1, [WRONG_BALANCE]: 2 },
    ofWallet: true,
    statements: made => [accountOf('buyer', 'EUR'), ofWallet(made, 'capture', Prisma.sql`debit_account_id = ${other}`)],
  },
  {
    text: 'a refund comes from the wallet of somebody else, which the balances show',
    broken: { [WRONG_BALANCE]: 1 },
    ofWallet: true,
    statements: made => [accountOf('buyer', 'EUR'), ofWallet(made, 'refund', Prisma.sql`debit_account_id = ${other}`)],
  },
];

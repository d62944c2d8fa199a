import type { Rule } from '../../chaos/history/evidence.js';
import {
  ANNS_ORDER,
  BOUGHT,
  bankRead,
  DONE,
  ELSEWHERE,
  order,
  payment,
  type WrittenHistory,
} from './written-history.js';

/** Histories that break a promise about money, each with the broken rule and a summary. */
export const BAD_MONEY_HISTORIES: [Rule, string, WrittenHistory][] = [
  ['bank', 'money appears', { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ shopMinor: 41 })] }],
  ['bank', 'money disappears', { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ buyersMinor: 59 })] }],
  ['bank', 'a wallet is overdrawn', { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ lowestMinor: -1 })] }],
  [
    'bank_is_what_was_put_in',
    'a confirmed credit is missing',
    { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0 })] },
  ],
  [
    'bank_is_what_was_put_in',
    'a credit counts twice',
    { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ buyersMinor: 160, creditedMinor: 200 })] },
  ],
  ['bank', 'money from a provider is booked, but is in no account', { bank: [bankRead({ providerMinor: 5 })] }],
  [
    'bank_is_what_was_put_in',
    'money comes from a provider without a payment there',
    { bank: [bankRead({ buyersMinor: 0, creditedMinor: 0, shopMinor: 100, providerMinor: 100 })] },
  ],
  [
    'paid_by_its_buyer',
    'an order is paid without a payment at the provider',
    { ...ELSEWHERE, steps: BOUGHT, orders: [ANNS_ORDER], payments: [payment({ takenMinor: 0 })] },
  ],
  [
    'books_agree',
    'the provider took money that is not in the books',
    { ...ELSEWHERE, payments: [payment({ status: 'open', capturedMinor: 0 })] },
  ],
  ['books_agree', 'the books have money that the provider never took', { payments: [payment({ takenMinor: 0 })] }],
  ['books_agree', 'the provider took the money twice', { payments: [payment({ takenMinor: 200 })] }],
  [
    'books_agree',
    'a refund is in the books, but the provider kept the money',
    { payments: [payment({ status: 'refunded', refundedMinor: 100 })] },
  ],
  [
    'books_agree',
    'money goes back both through the provider and into the wallet',
    { payments: [payment({ status: 'refunded', refundedMinor: 100, walletMinor: 100, returnedMinor: 100 })] },
  ],
  [
    'books_agree',
    'a part went back at the provider, and the books know nothing of it',
    { payments: [payment({ returnedMinor: 40 })] },
  ],
  [
    'books_agree',
    'a dispute withholds money that the books count as kept',
    { payments: [payment({ withheldMinor: 100 })] },
  ],
  [
    'books_agree',
    'the money of a second payment is kept',
    { payments: [payment({}), payment({ paymentId: 'q', capturedMinor: 0, surplus: true })] },
  ],
  [
    'books_agree',
    'the account of the provider differs from the money it kept',
    {
      steps: [[100, 'pay-elsewhere', 'ann', { http: 200 }]],
      payments: [payment({})],
      bank: [bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0, providerMinor: 0 })],
    },
  ],
  [
    'refunded_by_the_shop',
    'an order is refunded although the shop never asked',
    { ...ELSEWHERE, orders: [order('a', 'ann', { status: 'refunded', reason: 'refunded_by_shop' })] },
  ],
  [
    'refunded_by_the_shop',
    'a refund is confirmed to the shop, but the order is still paid',
    {
      ...ELSEWHERE,
      steps: [...(ELSEWHERE.steps ?? []), [500, 'refund', 'ann', { http: 200, claimId: 'a' }]],
      orders: [ANNS_ORDER],
    },
  ],
];

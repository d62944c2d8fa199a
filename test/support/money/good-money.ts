import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { applyAnswer } from '#core/postgres/money/payment-report.js';
import { creditWallets, insertWallets } from '#core/postgres/money/wallet.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { applyEvents, PART, type PaymentStores, PRICE } from '../payments.js';
import { openTestSale, winOne } from '../sales.js';

/** The amount that a dispute withholds, in minor units. */
export const DISPUTED = 100;

const WAYS = {
  /** Paid, and a part went back. */
  kept: part,
  /** Paid, a part went back, and a dispute about another part is open. */
  held: async (one: One) => {
    await part(one);
    await dispute(one, DISPUTED);
  },
  /** Paid, with a dispute that was won, a lost one, and a part that went back on top of it. */
  onTop: async (one: One) => {
    await paid(one);
    await dispute(one, PART, 'won');
    await dispute(one, DISPUTED, 'lost');
    await partOf(one, PART);
  },
  /** Paid, a part went into the wallet as the provider refused it, and a dispute is open. */
  refusedPart: async (one: One) => {
    await paid(one);
    await refusing(one.t, () => partOf(one, PART));
    await dispute(one, DISPUTED);
  },
  /** Refunded whole. */
  back: async (one: One) => {
    await paid(one);
    await refundOrder(one.t, { orderId: one.claim.claimId, restock: false });
    await finishPayments(one.t);
  },
  /** Refunded whole into the wallet, as the provider refused. */
  intoWallet: (one: One) => refusing(one.t, () => WAYS.back(one)),
  /** Refunded by a lost dispute, for which the refund had waited. */
  byBank: async (one: One) => {
    await WAYS.waiting(one);
    await dispute(one, 0, 'lost');
  },
  /** To be refunded, and a dispute about all of it is open. */
  waiting: async (one: One) => {
    await paid(one);
    await dispute(one, PRICE);
    await refundOrder(one.t, { orderId: one.claim.claimId, restock: false });
  },
  /** Late money that bought a unit again, and is disputed. */
  regrabbed: async (one: One) => {
    await cancelled(one);
    await paid(one);
    await dispute(one, DISPUTED);
  },
  /** Late money that went back. */
  lateBack: async (one: One) => {
    await cancelled(one);
    await one.t.db.sale.update({ where: { id: one.sale.id }, data: { lateMoney: 'refund' } });
    await paid(one);
    await finishPayments(one.t);
    await one.t.db.sale.update({ where: { id: one.sale.id }, data: { lateMoney: 'regrab' } });
  },
  /** Money of another amount, which went back. */
  otherAmount: async (one: One) => {
    await one.t.fake.pay(one.claim.claimId, { amountMinor: 1 });
    await answer(one);
    await finishPayments(one.t);
  },
  /** Late money that nobody has decided about. */
  undecided: async (one: One) => {
    await cancelled(one);
    await one.t.fake.pay(one.claim.claimId);
    await answer(one);
  },
  /** To be refunded at the provider. */
  due: async (one: One) => {
    await paid(one);
    await refundOrder(one.t, { orderId: one.claim.claimId, restock: true });
  },
  /** To be paid at the provider. */
  open: async () => undefined,
  /** To be paid; its payment is not requested. */
  unpaid: async ({ t, claim }: One) => {
    await t.db.payment.deleteMany({ where: { orderId: claim.claimId } });
  },
};

/** The orders of a good sale at a provider, by what became of their money. */
export type Way = keyof typeof WAYS;

interface One {
  t: PaymentStores;
  sale: Sale;
  claim: Claim;
}

/** A sale at a provider whose orders have gone every way that money goes, and one that is paid from wallets. */
export interface GoodMoney {
  sale: Sale;
  /** The ids of the orders that the buyers placed, by way. */
  orders: Record<Way, string>;
  wallet: Sale;
  /** The wallet of this buyer paid for `walletOrder`, of which a part went back. */
  walletBuyer: string;
  walletOrder: string;
}

/**
 * Makes sales by the steps alone, in which no rule is broken: two for each name. Each way is gone in all sales before the
 * next one, as the worker's rounds finish the payments of every sale.
 */
export async function openGoodSales(t: PaymentStores, names: string[]): Promise<GoodMoney[]> {
  const ways = Object.keys(WAYS) as Way[];
  const terms = { units: 2 * ways.length, priceMinor: PRICE, provider: 'signed-webhook' } as const;
  const made: GoodMoney[] = [];
  for (const name of names) {
    const orders = {} as Record<Way, string>;
    made.push({ sale: await openTestSale(t, terms), orders, ...(await makeWalletSale(t, name)) });
  }
  for (const way of ways) {
    for (const [i, { sale, orders }] of made.entries()) {
      const claim = await winOne(t, sale, `${names[i]}-${way}`);
      await placeOrders(t, { saleId: sale.id, claims: [claim] });
      await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId: claim.buyerId });
      await WAYS[way]({ t, sale, claim });
      orders[way] = claim.claimId;
    }
  }
  return made;
}

async function makeWalletSale(t: PaymentStores, name: string) {
  const wallet = await openTestSale(t, { units: 4, priceMinor: PRICE });
  const walletBuyer = `${name}-wallet`;
  await creditWallets(t.db, [walletBuyer], { amountMinor: 2 * PRICE, currency: 'EUR' });
  await insertWallets(t.db, [`${name}-empty`], 'EUR');
  const claim = await winOne(t, wallet, walletBuyer);
  const { claimId: walletOrder } = claim;
  await placeOrders(t, { saleId: wallet.id, claims: [claim] });
  await payOrder(t, { saleId: wallet.id, claimId: walletOrder, buyerId: walletBuyer });
  await refundOrderPartially(t, { orderId: walletOrder, amountMinor: PART, refundedMinor: 0 });
  return { wallet, walletBuyer, walletOrder };
}

async function paid({ t, claim }: One): Promise<void> {
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
}

async function part(one: One): Promise<void> {
  await paid(one);
  await partOf(one, PART);
}

async function partOf({ t, claim }: One, amountMinor: number): Promise<void> {
  const refund = { orderId: claim.claimId, amountMinor, refundedMinor: 0 };
  const { kind } = await refundOrderPartially(t, refund);
  if (kind !== 'refunded') throw new Error(kind);
  await finishPayments(t);
}

const cancelled = ({ t, sale, claim }: One) => cancelOrder(t, { saleId: sale.id, ...claim });

async function refusing(t: PaymentStores, work: () => Promise<void>): Promise<void> {
  await t.fake.mood({ refuseRefunds: true });
  await work();
  await t.fake.mood({ refuseRefunds: false });
}

/** Opens a dispute about an amount, if it is more than 0, and ends the open disputes if an end is given. */
async function dispute({ t, claim }: One, amountMinor: number, end?: 'won' | 'lost'): Promise<void> {
  if (amountMinor > 0) await t.fake.dispute(claim.claimId, amountMinor);
  await applyEvents(t, claim, { type: 'charge.dispute.created' });
  if (!end) return;
  await t.fake.closeDisputes(claim.claimId, end);
  await applyEvents(t, claim, { type: 'charge.dispute.closed' });
}

/** Applies the provider's answer about an order's payment, and decides nothing about late money. */
async function answer({ t, claim }: One): Promise<void> {
  const known = (await t.fake.payments()).find(({ orderId }) => orderId === claim.claimId);
  if (!known) throw new Error(`the provider does not know order ${claim.claimId}`);
  const { id: paymentId, orderId, status: state, amountMinor, currency } = known;
  await applyAnswer(t.db, 'signed-webhook', { paymentId, orderId, state, amountMinor, currency });
}

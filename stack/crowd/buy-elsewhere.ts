import { issueToken } from '#core/identity/token.js';
import { until } from '../processes/until.js';
import { type Answer, createStorefront } from './storefront.js';

const LOOK_EVERY_MS = 50;
const DEADLINE_MS = 15_000;
/** The provider's page is served by a process on this machine. */
const PAGE_DEADLINE_MS = 5_000;

/** A buyer, and a sale in which the buyer pays at the fake provider. */
export interface ElsewherePlan {
  baseUrl: string;
  /** A sale that is paid at the fake provider, with a unit left. */
  saleId: string;
  authSecret: string;
  buyerId: string;
}

/**
 * Buys a unit and pays on the page of the fake provider, as a person would with a browser.
 *
 * @returns the time from the payment until the order was paid, in ms: that long the provider's event took to arrive
 * @throws when the order isn't paid within 15 s
 */
export async function buyElsewhere({ baseUrl, saleId, authSecret, buyerId }: ElsewherePlan): Promise<number> {
  const shop = createStorefront(baseUrl, 1);
  const token = issueToken(authSecret, buyerId);
  const answerWith = async (fact: (answer: Answer) => boolean): Promise<Answer> => {
    let answer: Answer = { http: 0 };
    const holds = async () => {
      answer = await shop.ask('order-status', saleId, token);
      // The payment page appears some time after the first request. A repeated request is idempotent.
      if (answer.status === 'pending_payment' && !answer.paymentUrl) await shop.ask('pay', saleId, token);
      return fact(answer);
    };
    if (await until(holds, DEADLINE_MS, LOOK_EVERY_MS)) return answer;
    throw new Error(`the order of ${buyerId} in ${saleId} is still ${answer.status}`);
  };
  try {
    await shop.ask('buy', saleId, token);
    const { paymentUrl = '' } = await answerWith(answer => answer.paymentUrl !== undefined);
    const paidAtMs = performance.now();
    await fetch(paymentUrl, { method: 'POST', signal: AbortSignal.timeout(PAGE_DEADLINE_MS) });
    await answerWith(answer => answer.status === 'paid');
    return Math.round(performance.now() - paidAtMs);
  } finally {
    await shop.close();
  }
}

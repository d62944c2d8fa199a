import { pause } from '#core/clock.js';
import { issueToken } from '#core/token.js';
import { type Answer, openStorefront } from './storefront.js';

const LOOK_EVERY_MS = 50;
const DEADLINE_MS = 15_000;

export interface ElsewherePlan {
  baseUrl: string;
  /** A sale that is paid at the fake provider, with a unit left. */
  saleId: string;
  authSecret: string;
  buyerId: string;
}

/**
 * Buys a unit and pays it on the page of the fake provider, as a person would with a browser.
 *
 * @returns how long it took from the payment until the order was paid, in ms: the provider has told us of it by then
 * @throws when it isn't paid in time
 */
export async function buyElsewhere({ baseUrl, saleId, authSecret, buyerId }: ElsewherePlan): Promise<number> {
  const shop = openStorefront(baseUrl, 1);
  const token = issueToken(authSecret, buyerId);
  const until = async (fact: (answer: Answer) => boolean, act?: 'pay'): Promise<Answer> => {
    const endsAt = performance.now() + DEADLINE_MS;
    for (;;) {
      const answer = await shop.ask('order-status', saleId, token);
      if (fact(answer)) return answer;
      if (performance.now() > endsAt) throw new Error(`the order of ${buyerId} in ${saleId} is still ${answer.status}`);
      if (act && answer.status === 'pending_payment') await shop.ask(act, saleId, token);
      await pause(LOOK_EVERY_MS);
    }
  };
  try {
    await shop.ask('buy', saleId, token);
    const { paymentUrl = '' } = await until(answer => answer.paymentUrl !== undefined, 'pay');
    const paidAtMs = performance.now();
    await fetch(paymentUrl, { method: 'POST' });
    await until(answer => answer.status === 'paid');
    return Math.round(performance.now() - paidAtMs);
  } finally {
    await shop.close();
  }
}

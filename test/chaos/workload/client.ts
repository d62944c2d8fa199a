import { issueToken } from '#core/identity/token.js';
import { type Answer, type Call, createStorefront, type Storefront } from '#stack/crowd/storefront.js';
import { type History, outcomeOf, type Reply } from '../history/history.js';
import type { Random } from './random.js';
import { PRICE_MINOR } from './world.js';

/** Of one API; a paused one keeps those that wait for it. */
const CONNECTIONS = 256;

/** The buyers' side: everything that anybody asks goes through here, and into the history. */
export interface Client {
  ask(call: Call, saleId: string, buyerId: string, receipt?: string): Promise<Answer>;
  /** Pays on the provider's page, whatever has become of the order. */
  payElsewhere(saleId: string, buyerId: string, paymentUrl: string): Promise<void>;
  /** Lets the payment fail there. */
  failElsewhere(paymentUrl: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param baseUrls the APIs; each call goes to any of them, as behind a load balancer
 * @param authSecret signs the buyers' tokens
 * @param history where every call is written down
 * @param random chooses the API
 * @returns the client
 */
export function openClient(baseUrls: readonly string[], authSecret: string, history: History, random: Random): Client {
  const shops: Storefront[] = baseUrls.map(url => createStorefront(url, CONNECTIONS));
  return {
    async ask(call, saleId, buyerId, receipt) {
      const settle = history.invoke({ call, saleId, buyerId });
      const answer = await random.pick(shops).ask(call, saleId, issueToken(authSecret, buyerId), { receipt });
      settle(outcomeOf(answer.http), replyOf(answer));
      return answer;
    },
    async payElsewhere(saleId, buyerId, paymentUrl) {
      const settle = history.invoke({ call: 'pay-elsewhere', saleId, buyerId, amountMinor: PRICE_MINOR });
      const { status } = await fetch(paymentUrl, { method: 'POST' });
      settle(outcomeOf(status), { http: status });
    },
    async failElsewhere(paymentUrl) {
      await fetch(`${paymentUrl}/fail`, { method: 'POST' });
    },
    close: async () => void (await Promise.all(shops.map(shop => shop.close()))),
  };
}

/**
 * @param answer of an API
 * @returns what a history keeps of it
 */
export function replyOf({ http, status, code, claimId, unit, reason }: Answer): Reply {
  return {
    http,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(claimId === undefined ? {} : { claimId }),
    ...(unit === undefined ? {} : { unit }),
    ...(reason === undefined ? {} : { reason }),
  };
}

import { issueToken } from '#core/identity/token.js';
import { needsAnotherPass, requestPass } from '#stack/crowd/pass/request-pass.js';
import { type Answer, type Call, createStorefront, type Storefront } from '#stack/crowd/storefront.js';
import { type History, outcomeOf, type Reply } from '../history/history.js';
import type { Random } from './random.js';
import { groupOf, PRICE_MINOR } from './world.js';

/** The connections to one API. While an API is paused, all calls to it keep their connections. */
const CONNECTIONS = 256;

/** The buyers' side: every call goes through a client, which records it in the history. */
export interface Client {
  ask(call: Call, saleId: string, buyerId: string, options?: { receipt?: string | undefined }): Promise<Answer>;
  /** Pays on the provider's page, whatever the status of the order is. */
  payElsewhere(saleId: string, buyerId: string, paymentUrl: string): Promise<void>;
  /** Lets the payment fail on the provider's page. */
  failElsewhere(paymentUrl: string): Promise<void>;
  /** Returns the last receipt of each claim that an answer named. */
  receipts(): Receipt[];
  /** Returns every receipt of an entry in a draw. */
  entryReceipts(): EntryReceipt[];
  close(): Promise<void>;
}

/** The proof of a claim that its buyer keeps. */
export interface Receipt {
  claimId: string;
  saleId: string;
  buyerId: string;
  receipt: string;
}

/** The proof of an entry that its buyer keeps. */
export type EntryReceipt = Omit<Receipt, 'claimId'>;

/** The APIs that a client calls, and where it records the calls. */
export interface ClientOptions {
  /** Each call goes to any of the APIs, as behind a load balancer. */
  baseUrls: readonly string[];
  /** Signs the buyers' tokens. */
  authSecret: string;
  history: History;
  /** Chooses the API of a call. */
  random: Random;
}

/** Creates a client, to be closed by the caller. */
export function createClient({ baseUrls, authSecret, history, random }: ClientOptions): Client {
  const shops: Storefront[] = baseUrls.map(url => createStorefront(url, CONNECTIONS));
  const receipts = new Map<string, Receipt>();
  const entries = new Map<string, EntryReceipt>();
  /** The passes of buyers, by sale and buyer. */
  const passes = new Map<string, string | undefined>();
  return {
    async ask(call, saleId, buyerId, options) {
      const group = groupOf(buyerId);
      const [shop, token, key] = [
        random.pick(shops),
        issueToken(authSecret, buyerId, { group }),
        `${saleId} ${buyerId}`,
      ];
      const pass = call === 'buy' ? passes.get(key) : undefined;
      const complete = history.invoke({
        call,
        saleId,
        buyerId,
        ...(call === 'buy' && { hasPass: pass !== undefined, ...(group && { group }) }),
      });
      const answer = await shop.ask(call, saleId, token, { ...options, pass });
      complete(outcomeOf(answer.http), replyOf(answer));
      if (needsAnotherPass(answer)) {
        // The next click of this buyer has it.
        passes.set(key, (await requestPass(solution => shop.ask('pass', saleId, token, { solution }))).pass);
      }
      const { claimId, entry, receipt } = answer;
      if (claimId && receipt) receipts.set(claimId, { claimId, saleId, buyerId, receipt });
      if (entry !== undefined && receipt) entries.set(`${saleId} ${buyerId} ${entry}`, { saleId, buyerId, receipt });
      return answer;
    },
    async payElsewhere(saleId, buyerId, paymentUrl) {
      const complete = history.invoke({ call: 'pay-elsewhere', saleId, buyerId, amountMinor: PRICE_MINOR });
      const { status } = await fetch(paymentUrl, { method: 'POST' });
      complete(outcomeOf(status), { http: status });
    },
    async failElsewhere(paymentUrl) {
      await fetch(`${paymentUrl}/fail`, { method: 'POST' });
    },
    receipts: () => [...receipts.values()],
    entryReceipts: () => [...entries.values()],
    close: async () => void (await Promise.all(shops.map(shop => shop.close()))),
  };
}

/** Returns the fields of an answer that a history records. */
export function replyOf({ http, status, code, claimId, unit, reason, entry, receipt }: Answer): Reply {
  return {
    http,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(claimId === undefined ? {} : { claimId }),
    ...(unit === undefined ? {} : { unit }),
    ...(reason === undefined ? {} : { reason }),
    ...(entry === undefined || receipt === undefined ? {} : { entry }),
    ...(claimId === undefined || receipt === undefined ? {} : { hasReceipt: true }),
  };
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from './client.js';

/** The time between two calls of a buyer, in ms. */
const REST_MS = 100;

const ENDED = new Set<string | undefined>(['paid', 'cancelled', 'rejected']);

/** The visit of one buyer. */
export interface SteadyVisit {
  /** Resolves with the time at which a claim was accepted, in ms since the epoch; undefined for a sale that is sold out, or a buyer who gave up. */
  accepted: Promise<number | undefined>;
  /** Resolves when the buyer has read how the claim ended. */
  ended: Promise<void>;
}

/** A buyer who clicks until a claim is accepted, and then asks with the receipt until the claim has ended. */
export interface SteadyBuyer {
  saleId: string;
  buyerId: string;
  /** Whether the buyer cancels the order. Otherwise it expires. */
  cancels: boolean;
  /** Lets the buyer give up once it is aborted. */
  home?: AbortSignal;
}

/** Sends one buyer. */
export function sendSteadyBuyer(client: Client, { saleId, buyerId, cancels, home }: SteadyBuyer): SteadyVisit {
  const click = async () => {
    while (!home?.aborted) {
      const answer = await client.ask('buy', saleId, buyerId);
      if (answer.claimId) return { answer, atMs: Date.now() };
      if (answer.code === 'sold_out') return undefined;
      await pause(REST_MS);
    }
    return undefined;
  };
  const clicked = click();
  const follow = async () => {
    let answer = (await clicked)?.answer;
    const receipt = answer?.receipt;
    while (answer && !ENDED.has(answer.status) && !home?.aborted) {
      if (cancels && answer.status === 'pending_payment') await client.ask('cancel', saleId, buyerId);
      await pause(REST_MS);
      answer = await client.ask('order-status', saleId, buyerId, { receipt });
    }
  };
  return { accepted: clicked.then(found => found?.atMs), ended: follow() };
}

/** A stream of buyers under way. */
export interface SteadyBuyers {
  /** The number of claims that were accepted so far. */
  accepted(): number;
  /** Ends the stream, and waits until every buyer has read an end. */
  end(): Promise<void>;
  /** Ends the stream, and lets every buyer give up, as after a failure. */
  sendHome(): Promise<void>;
}

/** Sends a buyer every `everyMs`. Every second one cancels the order, and the others let it expire. */
export function sendSteadyBuyers(client: Client, saleId: string, everyMs: number): SteadyBuyers {
  const visits: Promise<void>[] = [];
  const home = new AbortController();
  let accepted = 0;
  const timer = setInterval(() => {
    const number = visits.length + 1;
    const visit = sendSteadyBuyer(client, {
      saleId,
      buyerId: `steady-${number}`,
      cancels: number % 2 === 0,
      home: home.signal,
    });
    visits.push(visit.ended);
    void visit.accepted.then(atMs => {
      if (atMs !== undefined) accepted += 1;
    });
  }, everyMs);
  const end = async () => {
    clearInterval(timer);
    await Promise.all(visits);
  };
  return {
    accepted: () => accepted,
    end,
    sendHome() {
      home.abort();
      return end();
    },
  };
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../chaos/workload/client.js';

/** The time between two calls of a buyer, in ms. */
const REST_MS = 100;

const ENDED = new Set<string | undefined>(['paid', 'cancelled', 'rejected']);

/** A stream of buyers under way. */
export interface SteadyBuyers {
  /** The number of claims that were accepted so far. */
  accepted(): number;
  /** Ends the stream, and waits until every buyer has read an end. */
  end(): Promise<void>;
}

/**
 * Sends a buyer every `everyMs`, who clicks until a claim is accepted, and then asks with the receipt until the claim has
 * ended. Every second buyer cancels the order, and the others let it expire.
 */
export function sendSteadyBuyers(client: Client, saleId: string, everyMs: number): SteadyBuyers {
  const buyers: Promise<void>[] = [];
  let accepted = 0;
  let number = 0;
  const visit = async (buyerId: string, cancels: boolean): Promise<void> => {
    let answer = await client.ask('buy', saleId, buyerId);
    while (!answer.claimId) {
      if (answer.code === 'sold_out') return;
      await pause(REST_MS);
      answer = await client.ask('buy', saleId, buyerId);
    }
    accepted += 1;
    const { receipt } = answer;
    while (!ENDED.has(answer.status)) {
      if (cancels && answer.status === 'pending_payment') await client.ask('cancel', saleId, buyerId);
      await pause(REST_MS);
      answer = await client.ask('order-status', saleId, buyerId, { receipt });
    }
  };
  const timer = setInterval(() => {
    number += 1;
    buyers.push(visit(`steady-${number}`, number % 2 === 0));
  }, everyMs);
  return {
    accepted: () => accepted,
    async end() {
      clearInterval(timer);
      await Promise.all(buyers);
    },
  };
}

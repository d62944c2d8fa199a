/** What was asked for in one event-loop turn for one sale and one buyer. */
interface Entry<R> {
  result: Promise<R>;
  resolve(result: R): void;
  reject(error: unknown): void;
  requests: number;
}

/**
 * Asks for one buyer of a sale.
 *
 * @returns the buyer's result, or undefined when too many requests are waiting already
 */
export type AskForBuyer<R> = (saleId: string, buyerId: string) => Promise<R> | undefined;

/**
 * Makes requests that arrive in one event-loop turn for one sale travel together. A buyer who comes twice in a turn is asked
 * for once, and both get that result.
 *
 * @param sizeMax the most buyers of one call
 * @param waitingMax the most requests that may wait, over all sales
 * @param run gets the results for some buyers, in their order; it must have a deadline
 * @returns a function that asks for one buyer
 */
export function batchPerTurn<R>(
  sizeMax: number,
  waitingMax: number,
  run: (saleId: string, buyerIds: string[]) => Promise<R[]>,
): AskForBuyer<R> {
  let waiting = 0;
  let turn = new Map<string, Map<string, Entry<R>>>();

  async function settle(saleId: string, batch: [string, Entry<R>][]): Promise<void> {
    try {
      const buyerIds = batch.map(([buyerId]) => buyerId);
      const results = await run(saleId, buyerIds);
      batch.forEach(([, entry], i) => {
        entry.resolve(results[i] as R);
      });
    } catch (error) {
      for (const [, entry] of batch) entry.reject(error);
    } finally {
      for (const [, entry] of batch) waiting -= entry.requests;
    }
  }

  function endTurn(): void {
    const sales = turn;
    turn = new Map();
    for (const [saleId, buyers] of sales) {
      const entries = [...buyers];
      for (let i = 0; i < entries.length; i += sizeMax) void settle(saleId, entries.slice(i, i + sizeMax));
    }
  }

  return (saleId, buyerId) => {
    if (waiting >= waitingMax) return undefined;
    waiting += 1;
    if (turn.size === 0) setImmediate(endTurn);
    const buyers = turn.get(saleId) ?? new Map<string, Entry<R>>();
    const entry = buyers.get(buyerId) ?? openEntry<R>();
    turn.set(saleId, buyers);
    buyers.set(buyerId, entry);
    entry.requests += 1;
    return entry.result;
  };
}

function openEntry<R>(): Entry<R> {
  const entry = { requests: 0 } as Entry<R>;
  entry.result = new Promise((resolve, reject) => {
    entry.resolve = resolve;
    entry.reject = reject;
  });
  return entry;
}

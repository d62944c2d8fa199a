/**
 * Takes the result; or undefined, and why there is none. Called once, and a function rather than a promise as most of what the
 * crowd costs is what is made anew for everybody. It must not throw: others of its batch come after it.
 */
export type Settle<R> = (result: R | undefined, error?: unknown) => void;

/**
 * Asks for one buyer of a sale.
 *
 * @returns false when too many requests are waiting already: then `settle` is never called
 */
export type AskForBuyer<R> = (saleId: string, buyerId: string, settle: Settle<R>) => boolean;

/** Who asked for one sale in one event-loop turn, by buyer. */
type Turn<R> = Map<string, Settle<R>[]>;

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
  let turns = new Map<string, Turn<R>>();

  async function settleAll(saleId: string, buyerIds: string[], settles: Settle<R>[][]): Promise<void> {
    let results: R[] = [];
    let failure: unknown;
    try {
      results = await run(saleId, buyerIds);
    } catch (error) {
      failure = error;
    }
    for (let i = 0; i < settles.length; i += 1) {
      for (const settle of settles[i] as Settle<R>[]) {
        waiting -= 1;
        settle(results[i], failure);
      }
    }
  }

  function endTurn(): void {
    const ended = turns;
    turns = new Map();
    for (const [saleId, turn] of ended) {
      const buyerIds = [...turn.keys()];
      const settles = [...turn.values()];
      for (let i = 0; i < buyerIds.length; i += sizeMax) {
        void settleAll(saleId, buyerIds.slice(i, i + sizeMax), settles.slice(i, i + sizeMax));
      }
    }
  }

  return (saleId, buyerId, settle) => {
    if (waiting >= waitingMax) return false;
    waiting += 1;
    if (turns.size === 0) setImmediate(endTurn);
    let turn = turns.get(saleId);
    if (turn === undefined) {
      turn = new Map();
      turns.set(saleId, turn);
    }
    const others = turn.get(buyerId);
    if (others === undefined) turn.set(buyerId, [settle]);
    else others.push(settle);
    return true;
  };
}

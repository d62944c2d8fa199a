/**
 * Takes the result for one buyer, or undefined and the error. It is called once and must not throw, as the others of the
 * batch are answered after it. A callback instead of a promise: allocating promises per request dominated the CPU time.
 */
export type Answer<R> = (result: R | undefined, error?: unknown) => void;

/** The requests for one sale in one turn of the event loop, by buyer. */
type Turn<R> = Map<string, Answer<R>[]>;

/** The bounds of a batch. */
interface Limits {
  /** The most buyers of one call. */
  sizeMax: number;
  /** The most requests that may wait for a result, over all sales. */
  waitingMax: number;
}

/** Returns a result for each buyer, in their order. It must have a deadline. */
type Run<R> = (saleId: string, buyerIds: string[]) => Promise<R[]>;

/**
 * Joins the requests that arrive for one sale in one turn of the event loop into one call. Two requests of one buyer in one
 * turn share one result.
 */
export class TurnBatch<R> {
  readonly #limits: Limits;
  readonly #run: Run<R>;
  /** Made once, as a turn begins with every request of a quiet process. */
  readonly #onTurnEnd = () => this.#endTurn();
  #waiting = 0;
  #turns = new Map<string, Turn<R>>();

  constructor(limits: Limits, run: Run<R>) {
    this.#limits = limits;
    this.#run = run;
  }

  /**
   * Asks for one buyer of a sale.
   *
   * @returns false when too many requests wait already: then `answer` is never called
   */
  ask(saleId: string, buyerId: string, answer: Answer<R>): boolean {
    if (this.#waiting >= this.#limits.waitingMax) return false;
    this.#waiting += 1;
    if (this.#turns.size === 0) setImmediate(this.#onTurnEnd);
    let turn = this.#turns.get(saleId);
    if (turn === undefined) {
      turn = new Map();
      this.#turns.set(saleId, turn);
    }
    const others = turn.get(buyerId);
    if (others === undefined) turn.set(buyerId, [answer]);
    else others.push(answer);
    return true;
  }

  #endTurn(): void {
    const { sizeMax } = this.#limits;
    const ended = this.#turns;
    this.#turns = new Map();
    for (const [saleId, turn] of ended) {
      const buyerIds = [...turn.keys()];
      const answers = [...turn.values()];
      for (let i = 0; i < buyerIds.length; i += sizeMax) {
        void this.#answerAll(saleId, buyerIds.slice(i, i + sizeMax), answers.slice(i, i + sizeMax));
      }
    }
  }

  async #answerAll(saleId: string, buyerIds: string[], answers: Answer<R>[][]): Promise<void> {
    let results: R[] = [];
    let failure: unknown;
    try {
      results = await this.#run(saleId, buyerIds);
    } catch (error) {
      failure = error;
    }
    for (let i = 0; i < answers.length; i += 1) {
      for (const answer of answers[i] as Answer<R>[]) {
        this.#waiting -= 1;
        answer(results[i], failure);
      }
    }
  }
}

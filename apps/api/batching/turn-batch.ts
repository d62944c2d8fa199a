/**
 * Receives the result for one buyer of a batch, or undefined and the error. The callback is called once and must not
 * throw, as the batch's other buyers are answered after it. It is no promise, as allocating a promise for each request
 * dominated the CPU time.
 */
export type Answer<R> = (result: R | undefined, error?: unknown) => void;

/** The requests for one sale in one turn of the event loop: for each buyer's id, the callbacks to answer. */
type Turn<R> = Map<string, Answer<R>[]>;

/** The wait for the end of the last call of a sale, in ms. A call of Redis takes some ms, with its `fsync`. */
const GATHER_MS = 20;

/** The bounds of a {@link TurnBatch}. */
interface Limits {
  /** The most buyers in one call of {@link Run}. */
  sizeMax: number;
  /** The most requests that may wait for a result, over all sales. */
  waitingMax: number;
  /**
   * Whether the requests for a sale wait for the end of its last call, but not much longer than {@link GATHER_MS}. The answers of
   * several servers end the turns of the event loop early, so each call would have few buyers.
   */
  gathers?: boolean;
}

/**
 * Serves the buyers of one batch and returns a result for each, in the same order. It must have a deadline, as requests
 * wait for it.
 */
type Run<R> = (saleId: string, buyerIds: string[]) => Promise<R[]>;

/**
 * Joins the requests of buyers for one sale. Those that arrive in one turn of the event loop become one call. Two
 * requests of one buyer in one turn share one result.
 */
export class TurnBatch<R> {
  readonly #limits: Limits;
  readonly #run: Run<R>;
  /** Created once and not for each turn. In a quiet process, every request begins a new turn. */
  readonly #onTurnEnd = () => this.#endTurn();
  #waiting = 0;
  #turns = new Map<string, Turn<R>>();
  readonly #onLate = () => {
    this.#late = undefined;
    this.#endSoon();
  };
  #late: NodeJS.Timeout | undefined;
  #isEnding = false;
  /** The time of the last call of each sale that has not ended, by `performance.now()`, in ms. */
  readonly #calls = new Map<string, number>();

  constructor(limits: Limits, run: Run<R>) {
    this.#limits = limits;
    this.#run = run;
  }

  /**
   * Adds a buyer's request to the sale's batch of this turn of the event loop.
   *
   * @returns false when too many requests wait already: then `answer` is never called
   */
  ask(saleId: string, buyerId: string, answer: Answer<R>): boolean {
    if (this.#waiting >= this.#limits.waitingMax) return false;
    this.#waiting += 1;
    this.#endSoon();
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

  #endSoon(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setImmediate(this.#onTurnEnd);
  }

  #endTurn(): void {
    this.#isEnding = false;
    const ended = this.#turns;
    this.#turns = new Map();
    for (const [saleId, turn] of ended) {
      if (this.#isBusy(saleId)) this.#turns.set(saleId, turn);
      else this.#call(saleId, turn);
    }
    if (this.#turns.size > 0) this.#late ??= setTimeout(this.#onLate, GATHER_MS);
  }

  #isBusy(saleId: string): boolean {
    const calledAtMs = this.#calls.get(saleId);
    return calledAtMs !== undefined && performance.now() - calledAtMs < GATHER_MS;
  }

  #call(saleId: string, turn: Turn<R>): void {
    const { sizeMax, gathers } = this.#limits;
    const buyerIds = [...turn.keys()];
    const answers = [...turn.values()];
    const calledAtMs = performance.now();
    if (gathers) this.#calls.set(saleId, calledAtMs);
    for (let i = 0; i < buyerIds.length; i += sizeMax) {
      void this.#answerAll(saleId, buyerIds.slice(i, i + sizeMax), answers.slice(i, i + sizeMax)).then(() => {
        if (this.#calls.get(saleId) === calledAtMs) this.#calls.delete(saleId);
        if (this.#turns.has(saleId)) this.#endSoon();
      });
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

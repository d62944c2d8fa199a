/** Counts how much of a long work is done, in units of the work such as buyers. Several parts of it may count together. */
export class Progress {
  readonly #tell: (share: number) => void;
  #expected = 0;
  #done = 0;

  /**
   * Creates the count of a work of which nothing is done yet.
   *
   * @param tell hears the share that is done, from 0 to 1, at each step. It falls when more work turns up.
   */
  constructor(tell: (share: number) => void) {
    this.#tell = tell;
  }

  /** Adds work that is to be done. An estimate will do. */
  expect(count: number): void {
    this.#expected += count;
  }

  /** Adds work that is done. */
  add(count: number): void {
    this.#done += count;
    this.#tell(Math.min(1, this.#done / Math.max(1, this.#expected)));
  }
}

/** Options of a long work: `progress` counts the buyers who were read. */
export interface Reported {
  progress?: Progress | undefined;
}

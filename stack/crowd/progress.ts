import type { Stage } from './buyer.js';

/** A log file needs only a line now and then, because nobody watches a line change there. */
const PLAIN_EVERY_MS = 5_000;
const CLEAR_LINE = '\r\x1b[2K';

/** Shows the progress of a command on a stream. That is stderr, because standard output is for the result. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #shownAtMs = performance.now();
  #isLineOpen = false;

  /** Shows nothing yet. The stream may be a terminal or not. */
  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Writes that a step begins, always on a line of its own. */
  step(line: string): void {
    this.end();
    this.#stream.write(`${line}\n`);
    this.#shownAtMs = performance.now();
  }

  /** Shows the state of the current step: one line that changes on a terminal, and a line now and then elsewhere. */
  show(line: string): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`${CLEAR_LINE}${line}`);
      this.#isLineOpen = true;
    } else if (performance.now() - this.#shownAtMs > PLAIN_EVERY_MS) {
      this.#stream.write(`${line}\n`);
      this.#shownAtMs = performance.now();
    }
  }

  /** Ends the changing line, so that further output starts on a line of its own. */
  end(): void {
    if (this.#isLineOpen) this.#stream.write('\n');
    this.#isLineOpen = false;
  }
}

const WORDS: [Stage, string][] = [
  ['coming', 'on their way'],
  ['asking', 'clicking'],
  ['joined', 'in a line for the opening'],
  ['drawing', 'waiting for lots'],
  ['queued', 'in the queue'],
  ['pending_payment', 'about to pay or not'],
  ['paid', 'paid'],
  ['cancelled', 'cancelled'],
  ['rejected', 'rejected'],
  ['refunded', 'refunded'],
  ['standby', 'on standby'],
  ['sold_out', 'too late'],
  ['closed', 'waited in vain'],
  ['left_standby', 'left the line'],
  ['unanswered', 'without an answer'],
];

/** Puts into words how many buyers are in which stage. */
export function wordsFor(stages: Partial<Record<Stage, number>>): string {
  return WORDS.flatMap(([stage, words]) => (stages[stage] ? [`${stages[stage]} ${words}`] : [])).join(', ');
}

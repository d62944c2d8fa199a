import type { Stage } from './buyer.js';

/** Where nobody watches a line change, a few lines are enough. */
const PLAIN_EVERY_MS = 5_000;
const CLEAR_LINE = '\r\x1b[2K';

/** Tells how far we are, on stderr: standard output is for the result. */
export interface Progress {
  /** A step that begins: always told. */
  step(line: string): void;
  /** Where we are within the step: one line that changes on a terminal, a line now and then elsewhere. */
  show(line: string): void;
  /** What comes next on the terminal starts on a line of its own. */
  end(): void;
}

/**
 * @param stream what is written to, a terminal or not
 * @returns what tells how far we are
 */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  let shownAtMs = performance.now();
  let open = false;
  const end = () => {
    if (open) stream.write('\n');
    open = false;
  };
  return {
    step(line) {
      end();
      stream.write(`${line}\n`);
      shownAtMs = performance.now();
    },
    show(line) {
      if (stream.isTTY) {
        stream.write(`${CLEAR_LINE}${line}`);
        open = true;
      } else if (performance.now() - shownAtMs > PLAIN_EVERY_MS) {
        stream.write(`${line}\n`);
        shownAtMs = performance.now();
      }
    },
    end,
  };
}

const WORDS: [Stage, string][] = [
  ['coming', 'on their way'],
  ['asking', 'clicking'],
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

/** Where the buyers stand, in words. */
export function wordsFor(stages: Partial<Record<Stage, number>>): string {
  return WORDS.flatMap(([stage, words]) => (stages[stage] ? [`${stages[stage]} ${words}`] : [])).join(', ');
}

import { Writable } from 'node:stream';

/** The interval between two lines with the same message is 1 s. The clock of the lines has whole ms, and may be set. */
const INTERVAL_MS = 950;

/** Levels of pino. */
const ERROR_LEVEL = 50;

/** Each login, logout and change by an operator is logged. Only operators with a token cause these lines. */
const DOINGS = / by an operator$|^an operator logged (?:in|out)$/;

/** Messages that say that something broke, which no input may cause. A login of a stranger may fail. */
const BROKEN = /unexpected error|(?<!login) failed|could not|given up/;

/** The worker, at no door, is warned by its timer library about a busy machine. */
const OF_A_BUSY_MACHINE = /NODE-CRON/;

interface Line {
  level: number;
  time: number;
  pid: number;
  msg: string;
}

/** Reads what the processes print, and notes what bad input must not make them print. */
export class ProcessLog {
  /** Takes the output of all processes. */
  readonly stream: Writable;
  /** One line in words for each defect. */
  readonly defects: string[] = [];
  /** The number of lines so far. */
  lines = 0;
  readonly #lastAtMs = new Map<string, number>();
  #begun = '';

  constructor() {
    this.stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const lines = (this.#begun + chunk.toString()).split('\n');
        this.#begun = lines.pop() ?? '';
        for (const line of lines) this.#read(line);
        done();
      },
    });
  }

  #read(text: string): void {
    this.lines += 1;
    const line = lineOf(text);
    if (!line && OF_A_BUSY_MACHINE.test(text)) return;
    if (!line) return void this.defects.push(`a process printed: ${text}`);
    const { level, time, pid, msg } = line;
    if (level >= ERROR_LEVEL || BROKEN.test(msg)) this.defects.push(`a process logged: ${text}`);
    const key = `${pid} ${msg}`;
    const last = this.#lastAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    if (time - last < INTERVAL_MS && !DOINGS.test(msg)) this.defects.push(`more than a line a second: ${text}`);
    this.#lastAtMs.set(key, time);
  }
}

function lineOf(text: string): Line | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

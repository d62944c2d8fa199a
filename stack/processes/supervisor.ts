import type { Exit } from './guarded-process.js';
import { pauseUntil } from './pause.js';
import { type ProcessOptions, type StackProcess, startProcess } from './process.js';

/** The back-off between starts: without it, a process that dies at once would keep a core busy. */
const FIRST_DELAY_MS = 250;
const DELAY_MAX_MS = 10_000;
/** A process that ran for this long died of something new, so its back-off starts again. */
const STEADY_MS = 30_000;

const describe = ({ code, signal }: Exit): string => (signal ? `by ${signal}` : `with code ${code}`);

/**
 * A process that is started again when it dies: of a defect, by `kill -9`, or on purpose like a worker that hangs.
 * Its operations are arrow functions, because callers pass them on.
 */
export class Supervised {
  readonly name: string;
  readonly #options: ProcessOptions;
  readonly #tell: (line: string) => void;
  #current: StackProcess | undefined;
  #wanted = new AbortController();
  #revival = Promise.resolve();
  #delayMs = FIRST_DELAY_MS;

  /** Describes the process, which isn't started yet: {@link startSupervised} does that, too. */
  constructor(options: ProcessOptions, tell: (line: string) => void) {
    this.name = options.name;
    this.#options = options;
    this.#tell = tell;
  }

  /** Returns the pid; undefined while the process is down. */
  readonly pid = (): number | undefined => this.#current?.pid;

  /** Returns the end of what the process printed. */
  readonly output = (): string => this.#current?.output() ?? '';

  /** Starts the process unless it runs, and waits until it is ready. */
  readonly start = async (): Promise<void> => {
    if (this.#current) return;
    this.#wanted = new AbortController();
    this.#delayMs = FIRST_DELAY_MS;
    await this.#launch();
  };

  /** Ends the process in order. It stays down. */
  readonly stop = async (): Promise<void> => {
    await (await this.#takeOut())?.stop();
  };

  /** Sends SIGKILL. The process stays down. */
  readonly kill = async (): Promise<void> => {
    await (await this.#takeOut())?.kill();
  };

  async #launch(): Promise<void> {
    const started = await startProcess(this.#options);
    const startedAt = performance.now();
    this.#current = started;
    void started.ended.then(exit => {
      if (this.#current !== started) return;
      this.#current = undefined;
      this.#tell(`${this.name} ended ${describe(exit)}: starting it again`);
      if (performance.now() - startedAt > STEADY_MS) this.#delayMs = FIRST_DELAY_MS;
      this.#revival = this.#revive(this.#wanted.signal);
    });
  }

  async #revive(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      await pauseUntil(this.#delayMs, stopped);
      if (stopped.aborted) return;
      this.#delayMs = Math.min(2 * this.#delayMs, DELAY_MAX_MS);
      try {
        return await this.#launch();
      } catch (error) {
        this.#tell(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Ends the supervision, and returns the process if it runs. */
  async #takeOut(): Promise<StackProcess | undefined> {
    this.#wanted.abort();
    await this.#revival;
    const running = this.#current;
    this.#current = undefined;
    return running;
  }
}

/**
 * Starts a process and keeps it running until it is stopped.
 *
 * @param tell receives one line for each death and each failed start
 * @returns the process, ready
 * @throws when the first start fails, with the end of the process's output
 */
export async function startSupervised(options: ProcessOptions, tell: (line: string) => void): Promise<Supervised> {
  const supervised = new Supervised(options, tell);
  await supervised.start();
  return supervised;
}

import { withDeadline } from '#core/rules/clock.js';

/** Longer than the processes and the stores may take to end. Then their reaper ends them. */
const END_DEADLINE_MS = 30_000;
/** The exit code of a shell for a program that SIGINT ended: 128 + 2. */
const INTERRUPTED = 130;

type Stop = () => Promise<unknown> | unknown;

/** Ends a program in order, however it comes to its end. Its operations are arrow functions, because callers pass them on. */
export class Lifetime {
  readonly #stops: Stop[] = [];
  #signalCode = INTERRUPTED;
  #ending: Promise<never> | undefined;

  /** Registers a step of the end. The last step registered runs first. */
  readonly beforeEnd = (stop: Stop): void => void this.#stops.push(stop);

  /** Makes a signal the ordinary end from now on, with exit code 0. */
  readonly expectSignal = (): void => {
    this.#signalCode = 0;
  };

  /** Runs the registered steps and exits. A second call joins the first. */
  readonly end = (exitCode: number): Promise<never> => {
    this.#ending ??= this.#endNow(exitCode);
    return this.#ending;
  };

  /** Ends the program as a signal does: with code 130, or with 0 once {@link expectSignal} was called. */
  readonly endBySignal = (): Promise<never> => this.end(this.#signalCode);

  /** Prints the error in one line and ends with code 1. During the end nothing is printed, because the end makes many things fail. */
  readonly fail = (error: unknown): Promise<never> => {
    if (!this.#ending) process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return this.end(1);
  };

  async #endNow(exitCode: number): Promise<never> {
    let code = exitCode;
    for (const stop of this.#stops.reverse()) {
      await withDeadline((async () => stop())(), END_DEADLINE_MS, 'ending').catch((error: Error) => {
        process.stderr.write(`${error.message}\n`);
        code = 1;
      });
    }
    process.exit(code);
  }
}

/**
 * Starts to listen for Ctrl-C, SIGTERM and a closed terminal: each ends the program in order. A repeated signal changes nothing,
 * because npm repeats the signals of the terminal. There is a deadline anyway.
 */
export function startLifetime(): Lifetime {
  const lifetime = new Lifetime();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void lifetime.endBySignal());
  return lifetime;
}

import { withDeadline } from '#core/rules/clock.js';

/** Longer than the processes and the stores may take to end; then their reaper ends them. */
const END_DEADLINE_MS = 30_000;
const INTERRUPTED = 130;

/** Ends a program in order, however it comes to its end. */
export interface Lifetime {
  /** Remembers what is to be ended; the last comes first. */
  beforeEnd(stop: () => Promise<unknown> | unknown): void;
  /** From now on a signal is the ordinary end, with code 0. */
  settled(): void;
  /** Ends what was remembered, and then the process. */
  end(exitCode: number): Promise<never>;
  /** The same after an error, told in one line; unless we are ending anyway, which makes many things fail. */
  fail(error: unknown): Promise<never>;
}

/**
 * Ctrl-C, SIGTERM and a closed terminal end the program in order. More signals change nothing: npm passes on what the terminal
 * has sent us already, and there is a deadline anyway.
 */
export function startLifetime(): Lifetime {
  const stops: (() => Promise<unknown> | unknown)[] = [];
  let signalCode = INTERRUPTED;
  let ending: Promise<never> | undefined;

  async function endNow(exitCode: number): Promise<never> {
    let code = exitCode;
    for (const stop of stops.reverse()) {
      await withDeadline((async () => stop())(), END_DEADLINE_MS, 'ending').catch((error: Error) => {
        process.stderr.write(`${error.message}\n`);
        code = 1;
      });
    }
    process.exit(code);
  }

  const end = (exitCode: number): Promise<never> => {
    ending ??= endNow(exitCode);
    return ending;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(signalCode));
  return {
    beforeEnd: stop => void stops.push(stop),
    settled: () => {
      signalCode = 0;
    },
    end,
    fail(error) {
      if (!ending) process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      return end(1);
    },
  };
}

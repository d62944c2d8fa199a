import type { Exit } from './guarded-process.js';
import { pauseUntil } from './pause.js';
import { type ProcessOptions, type StackProcess, startProcess } from './process.js';

/** A process that dies at once would otherwise keep a core busy with starting it. */
const FIRST_DELAY_MS = 250;
const DELAY_MAX_MS = 10_000;
/** Whoever ran for this long died of something new. */
const STEADY_MS = 30_000;

/** A process that is started again when it dies: of a defect, by `kill -9`, or on purpose like the worker's watchdog. */
export interface Supervised {
  readonly name: string;
  /** Undefined while it is down. */
  pid(): number | undefined;
  /** The end of what it printed. */
  output(): string;
  /** Ends it in order; it stays down. */
  stop(): Promise<void>;
  /** kill -9; it stays down. */
  kill(): Promise<void>;
  /** Starts it after stop() or kill(), and waits until it is ready. */
  start(): Promise<void>;
}

const describe = ({ code, signal }: Exit): string => (signal ? `by ${signal}` : `with code ${code}`);

/**
 * Starts a process and keeps it running until it is stopped.
 *
 * @param options what is run, and how it shows that it is ready
 * @param tell told in one line of each death and each failed start
 * @returns the process, ready
 * @throws when the first start fails, with the end of the process's output
 */
export async function supervise(options: ProcessOptions, tell: (line: string) => void): Promise<Supervised> {
  let current: StackProcess | undefined;
  let wanted = new AbortController();
  let revival = Promise.resolve();
  let delayMs = FIRST_DELAY_MS;

  async function launch(): Promise<void> {
    const started = await startProcess(options);
    const startedAt = performance.now();
    current = started;
    void started.ended.then(exit => {
      if (current !== started) return;
      current = undefined;
      tell(`${options.name} ended ${describe(exit)}: starting it again`);
      if (performance.now() - startedAt > STEADY_MS) delayMs = FIRST_DELAY_MS;
      revival = revive(wanted.signal);
    });
  }

  async function revive(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      await pauseUntil(delayMs, stopped);
      if (stopped.aborted) return;
      delayMs = Math.min(2 * delayMs, DELAY_MAX_MS);
      try {
        return await launch();
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Takes the running process out of supervision. */
  async function release(): Promise<StackProcess | undefined> {
    wanted.abort();
    await revival;
    const running = current;
    current = undefined;
    return running;
  }

  await launch();
  return {
    name: options.name,
    pid: () => current?.pid,
    output: () => current?.output() ?? '',
    stop: async () => void (await (await release())?.stop()),
    kill: async () => void (await (await release())?.kill()),
    async start() {
      if (current) return;
      wanted = new AbortController();
      delayMs = FIRST_DELAY_MS;
      await launch();
    },
  };
}

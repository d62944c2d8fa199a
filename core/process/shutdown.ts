import { withDeadline } from '../rules/clock.js';
import { crashPoint } from './crash-point.js';
import type { Logger } from './logger.js';

/**
 * A second signal within this time counts as an echo of the first, in ms. For one Ctrl-C, the terminal and npm each
 * send a signal.
 */
const ECHO_MS = 1_000;

/**
 * One server, client or timer to close at shutdown. The order matters: first those that accept work, last those that
 * others need.
 */
export interface ShutdownStep {
  name: string;
  run(): Promise<unknown> | unknown;
}

/**
 * Closes the process in order on SIGTERM and SIGINT, within a deadline. A failed step is logged, and the next one runs.
 * At the deadline the process exits anyway, as `close()` of a client may never return while its store is away. A second
 * signal exits at once, unless it is npm's echo of a Ctrl-C that the terminal has sent already.
 *
 * A process calls this before it waits for anything: as the first process of a container it would ignore a signal
 * without a handler. Later it adds what it has started to `steps`.
 *
 * @param steps the servers, clients and timers to close, one after the other; those that are there at the signal count
 * @param deadlineMs time limit for all steps together, in ms
 * @param log receives the start, the end and each failure
 */
export function onShutdown(steps: readonly ShutdownStep[], deadlineMs: number, log: Logger): void {
  let endingSinceMs: number | undefined;
  const end = (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (endingSinceMs !== undefined && nowMs - endingSinceMs > ECHO_MS) process.exit(1);
    if (endingSinceMs !== undefined) return;
    endingSinceMs = nowMs;
    log.info({ signal }, 'ending');
    void runSteps(steps, deadlineMs, log).then(inOrder => process.exit(inOrder ? 0 : 1));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/**
 * Runs the steps of a shutdown in order. A step that fails or takes too long is logged, and the next one runs.
 *
 * @param steps the servers, clients and timers to close, one after the other
 * @param deadlineMs time limit for all steps together, in ms
 * @param log receives the end and each failure
 * @returns whether every step succeeded in time
 */
export async function runSteps(steps: readonly ShutdownStep[], deadlineMs: number, log: Logger): Promise<boolean> {
  const endsAt = performance.now() + deadlineMs;
  let inOrder = true;
  await crashPoint('shutdown.begun');
  for (const { name, run } of steps) {
    try {
      const leftMs = Math.max(0, endsAt - performance.now());
      await withDeadline((async () => run())(), leftMs, `ending ${name}`);
      await crashPoint('shutdown.step-done');
    } catch (err) {
      inOrder = false;
      log.warn({ err, step: name }, 'could not end in order');
    }
  }
  log.info({ inOrder }, 'ended');
  return inOrder;
}

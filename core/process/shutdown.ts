import { withDeadline } from '../rules/clock.js';
import { crashPoint } from './crash-point.js';
import type { Logger } from './logger.js';

/** A second signal within this time, in ms, is the first once more. */
const ECHO_MS = 1_000;

/** One thing to end, in the order given: first what takes work in, last what the others need. */
export interface ShutdownStep {
  name: string;
  run(): Promise<unknown> | unknown;
}

/**
 * Ends the process in order on SIGTERM and SIGINT, and for certain: a step that fails is logged and passed over, and when
 * the deadline comes first (`close()` of a client may never return while its store is away) the process ends all the same.
 * A second signal ends it at once, unless it is the echo of the first: on Ctrl-C npm passes on what the terminal has sent already.
 *
 * @param steps what to end, one after the other
 * @param deadlineMs how long all steps may take together, in ms
 * @param log told of the beginning, the end and each failure
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
 * Runs the steps of a shutdown.
 *
 * @param steps what to end, one after the other
 * @param deadlineMs how long all of them may take together, in ms
 * @param log told of the end and each failure
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

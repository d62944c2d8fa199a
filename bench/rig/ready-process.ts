import { type GuardedCommand, type GuardedProcess, startGuarded } from '#stack/processes/guarded-process.js';
import { createOutputTail } from '#stack/processes/output.js';
import { until } from '#stack/processes/until.js';

const OUTPUT_CHARS = 4_000;

/** How a process shows that it is ready. */
export interface Readiness {
  /** Names the process in the error. */
  name: string;
  /** @param output the end of what the process wrote */
  isReady(output: string): Promise<boolean> | boolean;
  withinMs: number;
}

/**
 * Starts a process that ends with this one, and waits until it is ready.
 *
 * @throws Error with the end of its output, when it ends or is not ready in time; it does not run then
 */
export async function startReadyProcess(
  command: Omit<GuardedCommand, 'output' | 'stopSignal'>,
  { name, isReady, withinMs }: Readiness,
): Promise<GuardedProcess> {
  const child = await startGuarded({ ...command, output: 'pipe', stopSignal: 'SIGTERM' });
  const tail = createOutputTail(OUTPUT_CHARS);
  tail.follow(child.stdout);
  tail.follow(child.stderr);
  let ready = false;
  await until(async () => {
    if (child.exit()) return true;
    ready = await isReady(tail.text());
    return ready;
  }, withinMs);
  if (ready) return child;
  const how = child.exit() ? 'ended' : 'was not ready in time';
  await child.kill();
  throw new Error(`${name} ${how}: ${tail.text().trim()}`);
}

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkout } from '#core/process/checkout.js';
import { startGuarded } from '#stack/processes/guarded-process.js';
import { outputTail } from '#stack/processes/output.js';
import { answers } from '#stack/processes/process.js';
import { until } from '#stack/processes/until.js';

const READY_MS = 20_000;
const OUTPUT_CHARS = 16_000;
const GRACE_MS = 5_000;
const LOOK_EVERY_MS = 25;

/** How long a process that hangs is left so, in ms, before it is killed, as by a supervisor whose probes it doesn't answer. */
const HUNG_MS = 2_000;

/** How long one is stopped, in ms: a worker for longer than the lock of its job (core/queue/worker.ts), which another run has by then. */
const STOPPED_MS = { api: 2_000, admin: 2_000, worker: 17_000 } as const;

/** A process of ours that fails at one place, and is started again whole, as a supervisor would. */
export interface Breakable {
  /** Whether it has failed, whole again or not. */
  hasStruck(): boolean;
  /** When it failed, and when it was whole again; undefined while it hasn't. */
  fired(): { atMs: number; wholeMs: number } | undefined;
  /** Asks it to end in order, whoever it is by now. */
  stop(): Promise<void>;
  /** SIGTERM: for the places in its shutdown. */
  endInOrder(): void;
}

/**
 * Starts a process that fails at one place.
 *
 * @param name `api`, `worker` or `admin`
 * @param environment its whole environment
 * @param readyUrl answers when it is ready
 * @param crashAt `name:mode:nth` of the place
 * @returns the process; ready, unless it has failed before it was
 */
export async function startBreakable(
  name: 'api' | 'worker' | 'admin',
  environment: Record<string, string>,
  readyUrl: string,
  crashAt: string,
): Promise<Breakable> {
  const tail = outputTail(OUTPUT_CHARS);
  const launch = async (crash: Record<string, string>) => {
    const started = await startGuarded({
      command: process.execPath,
      args: [join(checkout, 'dist', 'apps', name, 'main.js')],
      cwd: checkout,
      environment: { ...environment, ...crash },
      output: 'pipe',
      stopSignal: 'SIGTERM',
      orphanSignal: 'SIGKILL',
      graceMs: GRACE_MS,
    });
    for (const stream of [started.stdout, started.stderr]) tail.follow(stream);
    return started;
  };
  let current = await launch({ NODE_ENV: 'test', DROPLINE_CRASH_AT: crashAt });
  let stopping = false;
  let fired: { atMs: number; wholeMs: number } | undefined;
  let struck = false;
  // Once seen it is remembered: whoever goes on may say so much that its words are not in the tail any more.
  const hasStruck = () => {
    struck ||= tail.text().includes('crash point ') || (current.exit() !== undefined && !stopping);
    return struck;
  };

  const watch = async () => {
    while (!stopping && !hasStruck()) await pause(LOOK_EVERY_MS);
    if (!hasStruck()) return;
    const atMs = Date.now();
    const mode = crashAt.split(':')[1];
    if (mode === 'hang') await pause(HUNG_MS);
    if (mode === 'pause') await pause(STOPPED_MS[name]);
    if (mode === 'pause' && current.exit() === undefined) process.kill(current.pid, 'SIGCONT');
    if (mode === 'hang') await current.kill();
    // Whoever fails while ending has to end all the same.
    if (mode === 'kill' || crashAt.startsWith('shutdown.')) await current.ended;
    if (current.exit() !== undefined && !stopping) {
      current = await launch({});
      await until(() => answers(readyUrl), READY_MS);
    }
    fired = { atMs, wholeMs: Date.now() };
  };
  const watching = watch();
  await until(async () => hasStruck() || (await answers(readyUrl)), READY_MS);
  return {
    hasStruck,
    fired: () => fired,
    endInOrder: () => void process.kill(current.pid, 'SIGTERM'),
    async stop() {
      stopping = true;
      await watching;
      await current.stop();
    },
  };
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { type Exit, type GuardedProcess, startGuarded } from './guarded-process.js';
import { outputTail } from './output.js';
import { until } from './until.js';

const READY_DEADLINE_MS = 20_000;
const PROBE_DEADLINE_MS = 1_000;
const STOP_GRACE_MS = 10_000;
const OUTPUT_CHARS = 64_000;

/** How a process shows that it is ready: a URL that answers 2xx, or something it prints. */
export type Readiness = { url: string } | { prints: RegExp };

export interface ProcessOptions {
  /** Named in errors, and the app to run: `api` runs dist/apps/api/main.js. */
  name: string;
  /** Another program than an app: its path below dist/, without .js. */
  script?: string;
  args?: readonly string[];
  /** Its whole environment; nothing of ours is inherited. */
  environment: Readonly<Record<string, string>>;
  ready: Readiness;
  /** How long it may take to be ready, in milliseconds; 20,000 if not given. */
  readyWithinMs?: number;
  /** How long it may take to end after SIGTERM, in milliseconds, before SIGKILL; 10,000 if not given. */
  stopWithinMs?: number;
  /** Where its output goes as well, line by line as it comes. */
  log?: NodeJS.WritableStream;
}

/** One of our own processes, running. */
export interface StackProcess {
  readonly name: string;
  readonly pid: number;
  /** Settles when it has ended. */
  readonly ended: Promise<Exit>;
  /** The end of what it printed, both streams. */
  output(): string;
  /** SIGTERM, and SIGKILL when the grace is over. */
  stop(): Promise<Exit>;
  /** kill -9. */
  kill(): Promise<Exit>;
  /** Ends it in order if it still runs, and starts another one like it. */
  restart(): Promise<StackProcess>;
}

/**
 * @param url of a process that may not listen yet, or not any more
 * @returns whether it answers 2xx within a second
 */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // nobody listens yet
  }
}

function isReady(readiness: Readiness, output: string): Promise<boolean> | boolean {
  return 'url' in readiness ? answers(readiness.url) : readiness.prints.test(output);
}

function launch(options: ProcessOptions): Promise<GuardedProcess> {
  const main = join(checkout, 'dist', `${options.script ?? `apps/${options.name}/main`}.js`);
  if (!existsSync(main)) throw new Error(`${main} is not built: run node bin/bootstrap.mjs`);
  return startGuarded({
    command: process.execPath,
    args: [main, ...(options.args ?? [])],
    cwd: checkout,
    environment: options.environment,
    output: 'pipe',
    stopSignal: 'SIGTERM',
    // Its stores end with us, so it could finish nothing; and it is made to be killed at any moment.
    orphanSignal: 'SIGKILL',
    graceMs: options.stopWithinMs ?? STOP_GRACE_MS,
  });
}

/**
 * Starts one of our own processes and waits until it is ready. It ends when we do, whatever ends us.
 *
 * @param options what is run, and how it shows that it is ready
 * @returns the process, ready
 * @throws with the end of its output, when it ends or isn't ready in time; it doesn't run then
 */
export async function startProcess(options: ProcessOptions): Promise<StackProcess> {
  const process = await launch(options);
  const tail = outputTail(OUTPUT_CHARS);
  for (const stream of [process.stdout, process.stderr]) {
    tail.follow(stream);
    if (options.log) stream?.pipe(options.log, { end: false });
  }
  let ready = false;
  const settled = async () => {
    if (process.exit()) return true;
    ready = await isReady(options.ready, tail.text());
    return ready;
  };
  await until(settled, options.readyWithinMs ?? READY_DEADLINE_MS);
  if (!ready) {
    const how = process.exit() ? 'ended' : 'was not ready in time';
    await process.kill();
    throw new Error(`${options.name} ${how}: ${tail.text().trim()}`);
  }
  return {
    name: options.name,
    pid: process.pid,
    ended: process.ended,
    output: tail.text,
    stop: process.stop,
    kill: process.kill,
    async restart() {
      await process.stop();
      return startProcess(options);
    },
  };
}

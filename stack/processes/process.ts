import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { type Exit, type GuardedProcess, startGuarded } from './guarded-process.js';
import { createOutputTail } from './output.js';
import { until } from './until.js';

/** A start takes a second, and many times longer on a busy machine. */
const READY_DEADLINE_MS = 60_000;
const PROBE_DEADLINE_MS = 1_000;
/** No app gives itself longer to shut down (SHUTDOWN_MS in apps). */
const STOP_GRACE_MS = 10_000;
const OUTPUT_CHARS = 64_000;

/** How a process shows that it is ready: a URL that answers 2xx, or a text that it prints. */
export type Readiness = { url: string } | { prints: RegExp };

/** A program of ours, and how it is run. */
export interface ProcessOptions {
  /** The app: `api` runs dist/apps/api/main.js, unless `program` says otherwise. */
  name: string;
  /** The path of another program below dist/, without .js. */
  program?: string;
  /** The clone to run from, by its own bin/bootstrap.mjs. Without it, what is compiled in this clone runs. */
  folder?: string;
  args?: readonly string[];
  /** The whole environment of the process; nothing of ours is inherited. */
  environment: Readonly<Record<string, string>>;
  ready: Readiness;
  /** The time until the process must be ready, in ms; 60,000 if not given. */
  readyWithinMs?: number;
  /** The time from SIGTERM to SIGKILL, in ms; 10,000 if not given. */
  stopWithinMs?: number;
  /** Receives a copy of the output as it comes. */
  log?: NodeJS.WritableStream;
}

/** One of our own processes, running. Its operations are arrow functions, because callers pass them on. */
export class StackProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Exit>;
  /** Sends SIGTERM, and SIGKILL when the grace time is over. Resolves when the process has ended. */
  readonly stop: () => Promise<Exit>;
  /** Sends SIGKILL. Resolves when the process has ended. */
  readonly kill: () => Promise<Exit>;
  /** Returns the end of what the process printed, both streams mixed. */
  readonly output: () => string;
  readonly #options: ProcessOptions;

  constructor(process: GuardedProcess, output: () => string, options: ProcessOptions) {
    this.name = options.name;
    this.pid = process.pid;
    this.ended = process.ended;
    this.stop = process.stop;
    this.kill = process.kill;
    this.output = output;
    this.#options = options;
  }

  /** Stops the process if it still runs, and starts another one with the same options. */
  readonly restart = async (): Promise<StackProcess> => {
    await this.stop();
    return startProcess(this.#options);
  };
}

/**
 * Asks a URL whether a process is ready.
 *
 * @param url of a process that may not listen
 * @returns whether it answers 2xx within a second
 */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // nobody listens
  }
}

function isReady(readiness: Readiness, output: string): Promise<boolean> | boolean {
  return 'url' in readiness ? answers(readiness.url) : readiness.prints.test(output);
}

/** Returns what Node is to run: the compiled file here, and in another clone its own bin/bootstrap.mjs. */
function scriptOf({ name, program = `apps/${name}/main`, folder }: ProcessOptions): string[] {
  if (folder !== undefined) return [join(folder, 'bin', 'bootstrap.mjs'), program];
  const main = join(checkout, 'dist', `${program}.js`);
  if (!existsSync(main)) throw new Error(`${main} is not built: run node bin/bootstrap.mjs`);
  return [main];
}

function launch(options: ProcessOptions): Promise<GuardedProcess> {
  return startGuarded({
    command: process.execPath,
    args: [...scriptOf(options), ...(options.args ?? [])],
    cwd: options.folder ?? checkout,
    environment: options.environment,
    output: 'pipe',
    stopSignal: 'SIGTERM',
    // Its stores end with us, so it could finish nothing. It is made to be killed at any moment.
    orphanSignal: 'SIGKILL',
    graceMs: options.stopWithinMs ?? STOP_GRACE_MS,
  });
}

/**
 * Starts one of our own processes and waits until it is ready. The process ends when we do, however we end.
 *
 * @returns the process, ready
 * @throws with the end of its output, when the process ends or isn't ready in time; it doesn't run then
 */
export async function startProcess(options: ProcessOptions): Promise<StackProcess> {
  const process = await launch(options);
  const tail = createOutputTail(OUTPUT_CHARS);
  for (const stream of [process.stdout, process.stderr]) {
    tail.follow(stream);
    if (options.log) stream?.pipe(options.log, { end: false });
  }
  let ready = false;
  const isDecided = async () => {
    if (process.exit()) return true;
    ready = await isReady(options.ready, tail.text());
    return ready;
  };
  await until(isDecided, options.readyWithinMs ?? READY_DEADLINE_MS);
  if (!ready) {
    const how = process.exit() ? 'ended' : 'was not ready in time';
    await process.kill();
    throw new Error(`${options.name} ${how}: ${tail.text().trim()}`);
  }
  return new StackProcess(process, tail.text, options);
}

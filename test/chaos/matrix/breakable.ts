import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkout } from '#core/process/checkout.js';
import { type GuardedProcess, startGuarded } from '#stack/processes/guarded-process.js';
import { createOutputTail, type OutputTail } from '#stack/processes/output.js';
import { answers } from '#stack/processes/process.js';
import { until } from '#stack/processes/until.js';

const READY_MS = 60_000;
const OUTPUT_CHARS = 16_000;
const GRACE_MS = 5_000;
const LOOK_EVERY_MS = 25;

/** A process that hangs is killed after this time, in ms, as by a supervisor whose probes it doesn't answer. */
const HUNG_MS = 2_000;

/** The time that a process is paused, in ms: for a worker longer than the lock of its job, which another worker then takes over. */
const PAUSED_MS = { api: 2_000, admin: 2_000, worker: 17_000 } as const;

/** A process that fails at one crash point. */
export interface BreakableOptions {
  name: 'api' | 'worker' | 'admin';
  /** The whole environment of the process, without the crash point. */
  environment: Record<string, string>;
  /** Answers 2xx when the process is ready. */
  readyUrl: string;
  /** `name:mode:nth` of the crash point, as DROPLINE_CRASH_AT has it. */
  crashAt: string;
}

/** The time of a failure, and the time at which the process was whole again. In ms since the epoch. */
export interface Fired {
  atMs: number;
  wholeMs: number;
}

/** A process of ours that fails at one crash point, and is started again without it, as by a supervisor. */
export class Breakable {
  readonly #options: BreakableOptions;
  readonly #tail: OutputTail = createOutputTail(OUTPUT_CHARS);
  #current: GuardedProcess | undefined;
  #watching: Promise<void> | undefined;
  #isStopping = false;
  #hasStruck = false;
  #fired: Fired | undefined;

  /** Describes a process that {@link startBreakable} starts. */
  constructor(options: BreakableOptions) {
    this.#options = options;
  }

  /** Starts the process, and waits until it is ready or has failed. */
  async start(): Promise<void> {
    const { crashAt, readyUrl } = this.#options;
    this.#current = await this.#launch({ NODE_ENV: 'test', DROPLINE_CRASH_AT: crashAt });
    this.#watching = this.#watch(this.#current);
    await until(async () => this.hasStruck() || (await answers(readyUrl)), READY_MS);
  }

  /** Tells whether the process has failed, whole again or not. */
  hasStruck(): boolean {
    // The answer is remembered, because further output may push the words of the crash point out of the tail.
    this.#hasStruck ||= this.#tail.text().includes('crash point ') || (this.#hasEnded() && !this.#isStopping);
    return this.#hasStruck;
  }

  /** Returns the times of the failure; undefined until the process is whole again. */
  fired(): Fired | undefined {
    return this.#fired;
  }

  /** Sends SIGTERM, for the crash points of the shutdown. */
  endInOrder(): void {
    if (this.#current) process.kill(this.#current.pid, 'SIGTERM');
  }

  /** Ends the process in order, before or after its failure. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#watching;
    await this.#current?.stop();
  }

  #hasEnded(): boolean {
    return this.#current?.exit() !== undefined;
  }

  async #launch(crash: Record<string, string>): Promise<GuardedProcess> {
    const { name, environment } = this.#options;
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
    for (const stream of [started.stdout, started.stderr]) this.#tail.follow(stream);
    return started;
  }

  /** Waits for the failure, and does the work of a supervisor. */
  async #watch(first: GuardedProcess): Promise<void> {
    const { name, crashAt, readyUrl } = this.#options;
    while (!this.#isStopping && !this.hasStruck()) await pause(LOOK_EVERY_MS);
    if (!this.hasStruck()) return;
    const atMs = Date.now();
    const mode = crashAt.split(':')[1];
    if (mode === 'hang') await pause(HUNG_MS);
    if (mode === 'pause') await pause(PAUSED_MS[name]);
    if (mode === 'pause' && !this.#hasEnded()) process.kill(first.pid, 'SIGCONT');
    if (mode === 'hang') await first.kill();
    // A process that fails during its shutdown has to end all the same.
    if (mode === 'kill' || crashAt.startsWith('shutdown.')) await first.ended;
    if (this.#hasEnded() && !this.#isStopping) {
      this.#current = await this.#launch({});
      await until(() => answers(readyUrl), READY_MS);
    }
    this.#fired = { atMs, wholeMs: Date.now() };
  }
}

/**
 * Starts a process that fails at one crash point.
 *
 * @returns the process; ready, unless it has failed before
 */
export async function startBreakable(options: BreakableOptions): Promise<Breakable> {
  const breakable = new Breakable(options);
  await breakable.start();
  return breakable;
}

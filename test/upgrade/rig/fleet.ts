import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '#stack/processes/free-port.js';
import { type ProcessOptions, type StackProcess, startProcess } from '#stack/processes/process.js';
import { apiOn, workerOn } from '../../chaos/rig/cluster.js';
import type { Version } from './version.js';

/** The processes of a small shop, each of which is replaced on its own. */
export const SLOTS = ['api-1', 'api-2', 'worker-1', 'worker-2'] as const;

export type SlotName = (typeof SLOTS)[number];

/** The settings that all processes of a fleet share. */
export interface FleetOptions {
  /** Settings of every process: the addresses of the stores, secrets. */
  settings: Record<string, string>;
  /** Where each process writes a log of its own. */
  logs: string;
}

/** Two APIs and two workers without a supervisor, some of them of the old version and some of the new. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #ports = new Map<SlotName, number>();
  readonly #running = new Map<SlotName, StackProcess>();
  readonly #disorders: string[] = [];
  #starts = 0;
  #longestGapMs = 0;

  /** Creates a fleet without any process. */
  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /**
   * Starts every process, all of them of one version.
   */
  async start(version: Version): Promise<void> {
    await Promise.all(SLOTS.map(slot => this.#start(slot, version)));
  }

  /** Where the APIs are, whichever version they are of. */
  get baseUrls(): string[] {
    return SLOTS.filter(isApi).map(slot => `http://127.0.0.1:${this.#ports.get(slot)}`);
  }

  /** The processes that did not end in order on SIGTERM, in words. */
  get disorders(): readonly string[] {
    return this.#disorders;
  }

  /** For how long an API was away at most, from the signal to end until its successor was ready, in ms. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  /**
   * Replaces one process. A worker's successor starts beside it; an API ends first, as its successor takes over the port.
   *
   * @param slot which process
   * @param version of its successor
   */
  async replace(slot: SlotName, version: Version): Promise<void> {
    const before = this.#running.get(slot);
    if (!isApi(slot)) {
      await this.#start(slot, version);
      return this.#end(slot, before);
    }
    const sinceMs = performance.now();
    await this.#end(slot, before);
    await this.#start(slot, version);
    this.#longestGapMs = Math.max(this.#longestGapMs, Math.round(performance.now() - sinceMs));
  }

  /** Ends every process: first the APIs, which take work in. */
  async stop(): Promise<void> {
    for (const wanted of [true, false]) {
      const slots = SLOTS.filter(slot => isApi(slot) === wanted);
      await Promise.all(slots.map(slot => this.#end(slot, this.#running.get(slot))));
    }
  }

  async #start(slot: SlotName, version: Version): Promise<void> {
    const port = (isApi(slot) && this.#ports.get(slot)) || (await freePort());
    this.#ports.set(slot, port);
    this.#starts += 1;
    const log = createWriteStream(join(this.#options.logs, `${this.#starts}-${slot}-${version.name}.log`));
    this.#running.set(slot, await startProcess({ ...this.#plan(slot, port), folder: version.folder, log }));
  }

  #plan(slot: SlotName, port: number): ProcessOptions {
    const { settings } = this.#options;
    if (!isApi(slot)) return workerOn(port, settings);
    // Redis must be connected: it gets buyers at once.
    return { ...apiOn(port, settings), ready: { url: `http://127.0.0.1:${port}/readyz` } };
  }

  async #end(slot: SlotName, process: StackProcess | undefined): Promise<void> {
    const exit = await process?.stop();
    if (exit && exit.code !== 0) this.#disorders.push(`${slot} did not end in order: ${JSON.stringify(exit)}`);
  }
}

function isApi(slot: SlotName): boolean {
  return slot.startsWith('api');
}

import { setTimeout as pause } from 'node:timers/promises';

/** The time between two attempts to start a process while its store is away, in ms. */
const REVIVE_MS = 200;

/** The kinds of processes in a cluster. */
export type NodeKind = 'api' | 'worker' | 'redis' | 'postgres';

/** A running process, of ours or of a store. */
export interface Running {
  pid: number;
  kill(): Promise<unknown>;
  stop(): Promise<unknown>;
}

/** A process that can be broken and started again. */
export class ChaosNode {
  readonly name: string;
  readonly kind: NodeKind;
  readonly #start: () => Promise<Running>;
  #current: Running | undefined;
  #isEnded = false;
  #reviving: Promise<void> | undefined;

  /** Describes a node whose process runs already. `start` starts another process like it. */
  constructor(kind: NodeKind, name: string, { first, start }: { first: Running; start: () => Promise<Running> }) {
    this.kind = kind;
    this.name = name;
    this.#current = first;
    this.#start = start;
  }

  /** Returns the pid; undefined while the process is down. */
  pid(): number | undefined {
    return this.#current?.pid;
  }

  /** Sends SIGKILL. Resolves when the process has ended. */
  async kill(): Promise<void> {
    await this.#take()?.kill();
  }

  /** Starts the process again as it was, unless it runs, and waits until it is ready. */
  revive(): Promise<void> {
    this.#reviving ??= this.#startAgain().finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  /** Ends the process in order, as a supervisor does. It stays down. */
  async stop(): Promise<void> {
    this.#isEnded = true;
    await this.#reviving;
    await this.#take()?.stop();
  }

  /** Retries, because a start fails while a store is away. */
  async #startAgain(): Promise<void> {
    while (!this.#current && !this.#isEnded) {
      this.#current = await this.#start().catch(() => undefined);
      if (!this.#current) await pause(REVIVE_MS);
    }
  }

  #take(): Running | undefined {
    const running = this.#current;
    this.#current = undefined;
    return running;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { checkout } from '#core/process/checkout.js';

/** A process that must not outlive this one. */
export interface Guarded {
  pid: number;
  /** The signal that the reaper sends once this process is gone. SIGKILL follows. */
  signal: NodeJS.Signals;
  /** The time from that signal to SIGKILL, in ms. */
  graceMs: number;
}

/** One line to bin/reaper.mjs. */
type Instruction =
  | ({ do: 'guard' } & Guarded)
  | { do: 'forget'; pid: number }
  | { do: 'remove'; folder: string }
  | { do: 'keep'; folder: string };

const FOLDER_PREFIX = 'dropline-';

/**
 * Ends the processes and removes the folders that this process would otherwise leave behind, however it ends. A child process
 * does the work (bin/reaper.mjs); it starts with the first instruction.
 */
class Reaper {
  #child: ChildProcess | undefined;

  /**
   * Makes a running process end when this one does.
   *
   * @throws when the reaper can't be started
   */
  guard(process: Guarded): Promise<void> {
    return this.#send({ do: 'guard', ...process });
  }

  /** Takes {@link guard} back: the process has ended, and another one may soon have its pid. */
  async forget(pid: number): Promise<void> {
    if (this.#child) await this.#send({ do: 'forget', pid });
  }

  /**
   * Makes a folder vanish, with its contents, when this process ends.
   *
   * @param folder an absolute path; its name must start with `dropline-`, so that a slip can't remove a home folder
   * @throws when the name starts differently
   */
  async removeAtEnd(folder: string): Promise<void> {
    if (!basename(folder).startsWith(FOLDER_PREFIX)) throw new Error(`not a folder of ours: ${folder}`);
    await this.#send({ do: 'remove', folder });
  }

  /** Takes {@link removeAtEnd} back: the folder is gone already. */
  async keep(folder: string): Promise<void> {
    if (this.#child) await this.#send({ do: 'keep', folder });
  }

  /** Resolves once the kernel has the instruction. The reaper then follows it even if this process ends right now. */
  #send(instruction: Instruction): Promise<void> {
    this.#child ??= this.#start();
    const { stdin } = this.#child;
    return new Promise((resolve, reject) => {
      if (!stdin) throw new Error('the reaper has no standard input');
      stdin.write(`${JSON.stringify(instruction)}\n`, error => (error ? reject(error) : resolve()));
    });
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [join(checkout, 'bin', 'reaper.mjs')], {
      // A session of its own: Ctrl-C goes to every process of the terminal's group, and would end the reaper first.
      detached: true,
      // Nothing is inherited: a reader of our output must not wait for the reaper to close it.
      stdio: ['pipe', 'ignore', 'ignore'],
      // The working folder of a process can't be unmounted, and on some systems not be removed.
      cwd: '/',
      env: {},
    });
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    // The write itself reports a broken pipe.
    child.stdin?.on('error', () => undefined);
    child.once('exit', () => {
      this.#child = undefined;
    });
    return child;
  }
}

/** The one reaper of this process. */
export const reaper = new Reaper();

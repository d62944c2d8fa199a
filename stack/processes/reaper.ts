import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { checkout } from '#core/process/checkout.js';

/** A process that must not outlive this one. */
export interface Guarded {
  pid: number;
  /** What it is sent when this process is gone; SIGKILL follows. */
  signal: NodeJS.Signals;
  /** How long it may take after `signal`, in milliseconds. */
  graceMs: number;
}

type Order =
  | ({ do: 'guard' } & Guarded)
  | { do: 'release'; pid: number }
  | { do: 'remove'; folder: string }
  | { do: 'keep'; folder: string };

const FOLDER_PREFIX = 'dropline-';

let reaper: ChildProcess | undefined;

/** One for this whole process, started with the first thing to guard (bin/reaper.mjs says what it does). */
function start(): ChildProcess {
  const child = spawn(process.execPath, [join(checkout, 'bin', 'reaper.mjs')], {
    // A session of its own: Ctrl-C goes to every process of the terminal's group, and would end the reaper first.
    detached: true,
    // Nothing inherited: whoever reads our output must not wait for the reaper to close it.
    stdio: ['pipe', 'ignore', 'ignore'],
    // Nor a place: a folder in which a process stands can't be unmounted, or removed everywhere.
    cwd: '/',
    env: {},
  });
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  // A broken pipe is reported by the write itself.
  child.stdin?.on('error', () => undefined);
  child.once('exit', () => {
    reaper = undefined;
  });
  return child;
}

/** Settles once the kernel has the order, so it is carried out even if this process ends right now. */
function give(order: Order): Promise<void> {
  reaper ??= start();
  const { stdin } = reaper;
  return new Promise((resolve, reject) => {
    if (!stdin) throw new Error('the reaper has no standard input');
    stdin.write(`${JSON.stringify(order)}\n`, error => (error ? reject(error) : resolve()));
  });
}

/**
 * From now on the process ends when this one does, whatever ends this one.
 *
 * @param process which runs already, and how it is ended
 * @throws when the reaper can't be started
 */
export function guard(process: Guarded): Promise<void> {
  return give({ do: 'guard', ...process });
}

/** The process has ended: its number may soon be somebody else's. */
export async function release(pid: number): Promise<void> {
  if (reaper) await give({ do: 'release', pid });
}

/**
 * From now on the folder is removed, with all that is in it, when this process ends.
 * @param folder absolute; its name must start with `dropline-`, so a slip can't remove anybody's home
 */
export async function removeAtEnd(folder: string): Promise<void> {
  if (!basename(folder).startsWith(FOLDER_PREFIX)) throw new Error(`not a folder of ours: ${folder}`);
  await give({ do: 'remove', folder });
}

/** Takes `removeAtEnd` back: the folder is gone already. */
export async function keep(folder: string): Promise<void> {
  if (reaper) await give({ do: 'keep', folder });
}

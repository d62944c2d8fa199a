import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { withDeadline } from '#core/rules/clock.js';
import { reaper } from './reaper.js';

/**
 * The shell waits at this gate until the reaper knows its pid, and `exec` keeps the pid. If we are killed before that, the pipe
 * closes, `read` fails and the command never starts. So at no moment can a process be left over.
 */
const GATE = 'read -r go && exec "$0" "$@" </dev/null';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The account that a process runs as, when it can't be ours. */
export interface User {
  uid: number;
  gid: number;
}

/** A command to run, and how to end it. */
export interface GuardedCommand {
  /** An absolute path, or a name to be found on PATH. */
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment of the process. Without it, the process inherits ours. */
  environment?: Readonly<Record<string, string>>;
  user?: User | undefined;
  /** An open file for its output, or `pipe`. */
  output: number | 'pipe';
  /** The signal that `stop` sends. */
  stopSignal: NodeJS.Signals;
  /** The signal that the reaper sends when we are gone; `stopSignal` if not given. */
  orphanSignal?: NodeJS.Signals;
  /** The time from either signal to SIGKILL, in ms. */
  graceMs: number;
}

/** A running process that ends when this one does. Its operations are arrow functions, because callers pass them on. */
export class GuardedProcess {
  readonly pid: number;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #spec: GuardedCommand;
  #exit: Exit | undefined;

  constructor(child: ChildProcess, pid: number, spec: GuardedCommand) {
    this.pid = pid;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    this.#child = child;
    this.#spec = spec;
    this.ended = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        // A failure means that the reaper is gone, and then nobody guards the pid.
        reaper.forget(pid).catch(() => undefined);
        resolve(this.#exit);
      });
    });
  }

  /** Returns how the process ended; undefined while it runs. */
  readonly exit = (): Exit | undefined => this.#exit;

  /** Sends the stop signal, and SIGKILL when the grace time is over. Resolves when the process has ended. */
  readonly stop = (): Promise<Exit> => {
    this.#child.ref();
    this.#child.kill(this.#spec.stopSignal);
    return withDeadline(this.ended, this.#spec.graceMs, this.#spec.command).catch(this.kill);
  };

  /** Sends SIGKILL. Resolves when the process has ended. */
  readonly kill = (): Promise<Exit> => {
    this.#child.ref();
    this.#child.kill('SIGKILL');
    return this.ended;
  };

  /** Lets our process end while this one runs. The reaper then ends it. */
  readonly detach = (): void => this.#child.unref();
}

/**
 * Starts a process that can't be left over, however we end.
 *
 * @returns the process, running
 * @throws when the shell can't be started; a command that doesn't exist ends with code 126 or 127 instead
 */
export async function startGuarded(spec: GuardedCommand): Promise<GuardedProcess> {
  const child = spawn('/bin/sh', ['-c', GATE, spec.command, ...spec.args], {
    cwd: spec.cwd,
    ...(spec.environment && { env: { ...spec.environment } }),
    ...spec.user,
    // Ctrl-C reaches only us, so that we decide the order in which things end.
    detached: true,
    stdio: ['pipe', spec.output, spec.output],
  });
  if (child.pid === undefined) await once(child, 'spawn'); // rejects with the reason
  const { pid } = child;
  if (pid === undefined || !child.stdin) throw new Error(`${spec.command} could not be started`);

  const process = new GuardedProcess(child, pid, spec);
  child.stdin.on('error', () => undefined); // the process ended at the gate; `ended` reports it
  try {
    await reaper.guard({ pid, signal: spec.orphanSignal ?? spec.stopSignal, graceMs: spec.graceMs });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  child.stdin.end('go\n');
  return process;
}

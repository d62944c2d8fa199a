import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { withDeadline } from '#core/rules/clock.js';
import { guard, release } from './reaper.js';

/**
 * The process waits at this gate until the reaper knows it; `exec` keeps the pid. If we are killed before we could tell the
 * reaper, the pipe closes, `read` fails and nothing has started. So there is no moment at which a process can be left over.
 */
const GATE = 'read -r go && exec "$0" "$@" </dev/null';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Whom a process runs as, when it can't be us. */
export interface User {
  uid: number;
  gid: number;
}

export interface GuardedCommand {
  /** An absolute path, or a name to be found on PATH. */
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment of the process; without it, it inherits ours. */
  environment?: Readonly<Record<string, string>>;
  user?: User | undefined;
  /** An open file for its output, or `pipe`. */
  output: number | 'pipe';
  /** What asks it to end in stop(). */
  stopSignal: NodeJS.Signals;
  /** What the reaper sends it when we are gone; `stopSignal` if not given. */
  orphanSignal?: NodeJS.Signals;
  /** How long it may take to end, in milliseconds, before SIGKILL. */
  graceMs: number;
}

/** A process that ends when we end, for certain. */
export interface GuardedProcess {
  readonly pid: number;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Settles when it has ended. */
  readonly ended: Promise<Exit>;
  /** How it ended; undefined while it runs. */
  exit(): Exit | undefined;
  /** Asks it to end, and makes it end when the grace is over. */
  stop(): Promise<Exit>;
  /** SIGKILL. */
  kill(): Promise<Exit>;
  /** Lets our process end although this one runs: the reaper ends it then. */
  detach(): void;
}

/**
 * Starts a process that can't be left over, whatever ends us.
 *
 * @param spec what is run, and how it is ended
 * @returns the process, running
 * @throws when it can't be started at all; a command that doesn't exist ends with code 126 or 127
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

  let exit: Exit | undefined;
  const ended = new Promise<Exit>(resolve => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      // Failing means that the reaper is gone, and nothing is left to be told.
      release(pid).catch(() => undefined);
      resolve(exit);
    });
  });
  child.stdin.on('error', () => undefined); // it ended at the gate: `ended` says so
  try {
    await guard({ pid, signal: spec.orphanSignal ?? spec.stopSignal, graceMs: spec.graceMs });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  child.stdin.end('go\n');

  const kill = (): Promise<Exit> => {
    child.ref();
    child.kill('SIGKILL');
    return ended;
  };
  return {
    pid,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    exit: () => exit,
    kill,
    stop() {
      child.ref();
      child.kill(spec.stopSignal);
      return withDeadline(ended, spec.graceMs, spec.command).catch(kill);
    },
    detach: () => child.unref(),
  };
}

import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../processes/free-port.js';
import { type GuardedProcess, startGuarded, type User } from '../processes/guarded-process.js';
import { until } from '../processes/until.js';

/** A start takes 0.1 s, and recovery after a kill up to 2 s. The machine may be busy with other things. */
const START_DEADLINE_MS = 60_000;
const RETRY_MS = 100;
const LOG_TAIL_CHARS = 2_000;

/** Failures that pass by themselves: another process took the port first, or a killed server is still ending. */
const PASSING = /Address already in use|is still in use|lock file .* already exists|being used by another process/;

/** A database server: the command that runs it, and how it shows that it is ready. */
export interface ServerSpec {
  name: string;
  command: string;
  /** Returns the arguments for listening on this port. */
  args(port: number): string[];
  cwd: string;
  environment?: Readonly<Record<string, string>>;
  user?: User | undefined;
  logFile: string;
  stopSignal: NodeJS.Signals;
  graceMs: number;
  /** A fixed port. Without it, a free one is found. */
  port?: number | undefined;
  /** Tells whether the process `pid` answers, and not another one on this port. */
  ready(pid: number, port: number): Promise<boolean>;
}

/** A server that answers. */
export interface RunningServer {
  process: GuardedProcess;
  port: number;
}

async function launch(spec: ServerSpec, port: number): Promise<GuardedProcess> {
  // Each start overwrites the log, so that its size stays bounded.
  const log = await open(spec.logFile, 'w', 0o600);
  try {
    return await startGuarded({ ...spec, args: spec.args(port), output: log.fd });
  } finally {
    await log.close();
  }
}

async function logTail(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8').catch(() => '')).slice(-LOG_TAIL_CHARS).trim();
}

/**
 * Starts a server and waits until it answers. A port that another process took is replaced, and the remains of a killed server
 * are waited for.
 *
 * @returns the server, ready
 * @throws with the end of the server's own log, when it ends or doesn't answer within 60 s
 */
export async function startServer(spec: ServerSpec): Promise<RunningServer> {
  const endsAt = performance.now() + START_DEADLINE_MS;
  for (;;) {
    const port = spec.port ?? (await freePort());
    const process = await launch(spec, port);
    const isDecided = async () => process.exit() !== undefined || (await spec.ready(process.pid, port));
    await until(isDecided, endsAt - performance.now());
    if (process.exit() === undefined && (await spec.ready(process.pid, port))) {
      process.detach();
      return { process, port };
    }
    await process.kill();
    const log = await logTail(spec.logFile);
    if (performance.now() > endsAt || !PASSING.test(log)) throw new Error(`${spec.name} did not start: ${log}`);
    await setTimeout(RETRY_MS);
  }
}

/** Creates the folder of a server. Others may pass through the folder, as its server may run as another user, but not list it. */
export async function createServerFolder(folder: string): Promise<void> {
  const created = await mkdir(folder, { recursive: true });
  // Set explicitly, because a strict umask would remove the right to pass.
  if (created) await chmod(folder, 0o711);
}

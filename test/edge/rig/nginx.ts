import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { GuardedProcess } from '#stack/processes/guarded-process.js';
import { startServer } from '#stack/stores/server.js';
import { nginxBinary } from './nginx-binary.js';

/** nginx ends within a moment after SIGTERM, also with open connections. In ms. */
const STOP_GRACE_MS = 5_000;

/** How an nginx is started. */
export interface NginxOptions {
  /** The folder of this nginx, which holds its configuration. */
  folder: string;
  /** Writes the configuration for a port, and returns nginx's arguments. */
  configure(port: number): readonly string[];
  /** The command that starts nginx; nginx itself if not given. */
  command?: string;
  /** The whole environment. Without it, nginx inherits ours. */
  environment?: Readonly<Record<string, string>>;
}

/** A running nginx. */
export interface Nginx {
  url: string;
  port: number;
  process: GuardedProcess;
  /** Reads the error log. */
  errors(): string;
  stop(): Promise<void>;
}

/**
 * Starts the machine's nginx on a free port of 127.0.0.1.
 *
 * @throws with nginx's own error when it doesn't start
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { folder, configure, environment } = options;
  const logFile = join(folder, 'error.log');
  const { process, port } = await startServer({
    name: 'nginx',
    command: options.command ?? nginxBinary(),
    args: port => [...configure(port)],
    cwd: folder,
    ...(environment ? { environment } : {}),
    logFile,
    stopSignal: 'SIGTERM',
    graceMs: STOP_GRACE_MS,
    ready: (_pid, port) => listens(port),
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process,
    errors: () => readFileSync(logFile, 'utf8'),
    stop: async () => void (await process.stop()),
  };
}

/** nginx answers as soon as it listens. It ends when another process has the port. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

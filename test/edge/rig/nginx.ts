import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuardedProcess } from '#stack/processes/guarded-process.js';
import { answers } from '#stack/processes/process.js';
import { startServer } from '#stack/stores/server.js';
import { nginxBinary } from './nginx-binary.js';

/** nginx ends within a moment of SIGTERM, whatever its connections. */
const STOP_GRACE_MS = 5_000;

export interface NginxOptions {
  /** A folder of its own, which holds the configuration. */
  folder: string;
  /** Writes the configuration for a port, and returns the arguments that run it. */
  configure(port: number): readonly string[];
  /** Another command than nginx itself. */
  command?: string;
  /** The whole environment; without it, ours. */
  environment?: Readonly<Record<string, string>>;
  /** A path that this nginx answers with 2xx by itself. */
  readyPath: string;
}

/** An nginx that listens. */
export interface Nginx {
  url: string;
  port: number;
  process: GuardedProcess;
  /** What it wrote to its error log. */
  errors(): string;
  stop(): Promise<void>;
}

/**
 * Starts Debian's nginx on a free port of 127.0.0.1.
 *
 * @param options its configuration
 * @returns the server, which answers
 * @throws with nginx's own words when it doesn't start
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { folder, configure, environment, readyPath } = options;
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
    ready: (_pid, port) => answers(`http://127.0.0.1:${port}${readyPath}`),
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process,
    errors: () => readFileSync(logFile, 'utf8'),
    stop: async () => void (await process.stop()),
  };
}

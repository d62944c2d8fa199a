import { freePort } from '#stack/processes/free-port.js';
import { startGuarded } from '#stack/processes/guarded-process.js';
import { createOutputTail } from '#stack/processes/output.js';
import { startProcess } from '#stack/processes/process.js';
import { until } from '#stack/processes/until.js';
import type { Rig } from './rig.js';

const READY_MS = 10_000;
const STOP_MS = 2_000;
const OUTPUT_CHARS = 4_000;

/** A process under test. */
export interface Server {
  port: number;
  pid: number;
  stop(): Promise<unknown>;
}

/**
 * Starts one of bench/servers.
 *
 * @param rig the rig
 * @param name its file
 * @param databaseUrl a database of its own, if it has one
 * @returns the server, ready
 * @throws Error with its output when it doesn't start
 */
export async function startBaseline(rig: Rig, name: string, databaseUrl = ''): Promise<Server> {
  const port = await freePort();
  const child = await startGuarded({
    command: process.execPath,
    args: [rig.compiled(`servers/${name}`), String(port), rig.secret, rig.stores.redisUrl, databaseUrl],
    cwd: rig.stores.folder,
    environment: { NODE_ENV: 'production', ...profiled(rig, name) },
    output: 'pipe',
    stopSignal: 'SIGTERM',
    graceMs: STOP_MS,
  });
  const tail = createOutputTail(OUTPUT_CHARS);
  tail.follow(child.stdout);
  tail.follow(child.stderr);
  const isReady = () => tail.text().includes('ready\n');
  await until(() => isReady() || child.exit() !== undefined, READY_MS);
  if (!isReady()) {
    await child.kill();
    throw new Error(`bench/servers/${name} did not start: ${tail.text()}`);
  }
  return { port, pid: child.pid, stop: child.stop };
}

/** @returns the real API, compiled, with the settings it has in production */
export async function startApi(rig: Rig): Promise<Server> {
  const port = await freePort();
  const api = await startProcess({
    name: 'api',
    environment: {
      NODE_ENV: 'production',
      REDIS_URL: rig.stores.redisUrl,
      AUTH_SECRET: rig.secret,
      PORT: String(port),
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      ...profiled(rig, 'api'),
    },
    ready: { url: `http://127.0.0.1:${port}/readyz` },
  });
  return { port, pid: api.pid, stop: api.stop };
}

/** @returns the real worker, compiled, once it is about to take jobs */
export async function startWorker(rig: Rig): Promise<Server> {
  const port = await freePort();
  const worker = await startProcess({
    name: 'worker',
    environment: {
      NODE_ENV: 'production',
      REDIS_URL: rig.stores.redisUrl,
      DATABASE_URL: rig.stores.databaseUrl,
      METRICS_PORT: String(port),
      METRICS_HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      ...profiled(rig, 'worker'),
    },
    ready: { url: `http://127.0.0.1:${port}/metrics` },
  });
  return { port, pid: worker.pid, stop: worker.stop };
}

/** `--profile` writes a CPU profile of each of our processes; it costs a few per cent, so never in a run that counts. */
function profiled(rig: Rig, name: string): Record<string, string> {
  const folder = rig.options.profile;
  if (folder === undefined) return {};
  return {
    NODE_OPTIONS: `--import=${rig.compiled('rig/profile')}`,
    BENCH_PROFILE: `${folder}/${name}-${Date.now()}.cpuprofile`,
  };
}

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '#stack/processes/free-port.js';
import type { Exit } from '#stack/processes/guarded-process.js';
import { startProcess } from '#stack/processes/process.js';
import { until } from '#stack/processes/until.js';
import { startReadyProcess } from './ready-process.js';
import type { Rig } from './rig.js';

const READY_MS = 10_000;
const STOP_MS = 2_000;
/** Collecting the garbage of a large heap stops the process meanwhile. */
const MEASURED_MS = 30_000;

/** A process under test. */
export interface Server {
  port: number;
  pid: number;
  stop(): Promise<unknown>;
}

/** A worker under test. No request shows whether it lives. */
export interface Worker extends Server {
  /** @throws Error with the end of its output, when it has ended */
  expectAlive(): void;
}

/**
 * Starts a baseline and waits until it listens.
 *
 * @param name its file in bench/servers
 * @param databaseUrl a database of its own, if it needs one
 * @throws Error with its output when it does not start
 */
export async function startBaseline(rig: Rig, name: string, databaseUrl = ''): Promise<Server> {
  const port = await freePort();
  const command = {
    command: process.execPath,
    args: [rig.compiled(`servers/${name}`), String(port), rig.secret, rig.stores.redisUrl, databaseUrl],
    cwd: rig.stores.folder,
    environment: { NODE_ENV: 'production', ...profiled(rig, name) },
    graceMs: STOP_MS,
  };
  const isReady = (output: string) => output.includes('ready\n');
  const child = await startReadyProcess(command, { name: `bench/servers/${name}`, isReady, withinMs: READY_MS });
  return { port, pid: child.pid, stop: child.stop };
}

/**
 * Starts the real API, compiled and with production settings, and waits until it is ready.
 *
 * @param redisUrl another Redis than that of the rig
 */
export async function startApi(rig: Rig, redisUrl = rig.stores.redisUrl): Promise<Server> {
  return startApiWith(rig, { REDIS_URL: redisUrl, ...profiled(rig, 'api') });
}

/** An API that says how much memory it needs. */
export interface MeasuredApi extends Server {
  /** Reads the memory of the process after its garbage was collected, in bytes. */
  memory(): Promise<{ rss: number; heapUsed: number; external: number }>;
}

/** Starts the real API like {@link startApi}, able to measure its memory. */
export async function startMeasuredApi(rig: Rig): Promise<MeasuredApi> {
  const path = join(rig.stores.folder, `memory-${randomUUID()}.json`);
  const api = await startApiWith(rig, { NODE_OPTIONS: `--import=${rig.compiled('rig/memory')}`, BENCH_MEMORY: path });
  const memory = async () => {
    process.kill(api.pid, 'SIGUSR2');
    if (!(await until(() => existsSync(path), MEASURED_MS)))
      throw new Error('the API does not say what memory it needs');
    const measured = JSON.parse(await readFile(path, 'utf8'));
    await rm(path);
    return measured;
  };
  return { ...api, memory };
}

async function startApiWith(rig: Rig, environment: Record<string, string>): Promise<Server> {
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
      ...environment,
    },
    ready: { url: `http://127.0.0.1:${port}/readyz` },
  });
  return { port, pid: api.pid, stop: api.stop };
}

/**
 * Starts the real worker, compiled, and waits until it is about to take jobs.
 *
 * @param databaseUrl how the worker reaches Postgres; directly if not given
 */
export async function startWorker(rig: Rig, databaseUrl = rig.stores.databaseUrl): Promise<Worker> {
  const port = await freePort();
  const worker = await startProcess({
    name: 'worker',
    environment: {
      NODE_ENV: 'production',
      REDIS_URL: rig.stores.redisUrl,
      DATABASE_URL: databaseUrl,
      METRICS_PORT: String(port),
      METRICS_HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      ...profiled(rig, 'worker'),
    },
    ready: { url: `http://127.0.0.1:${port}/metrics` },
  });
  let exit: Exit | undefined;
  void worker.ended.then(how => {
    exit = how;
  });
  const expectAlive = () => {
    if (exit) throw new Error(`the worker ended (${exit.signal ?? exit.code}): ${worker.output().trim()}`);
  };
  return { port, pid: worker.pid, stop: worker.stop, expectAlive };
}

/** Returns the environment that makes a process write a CPU profile. Profiling costs a few per cent of its speed. */
function profiled(rig: Rig, name: string): Record<string, string> {
  const folder = rig.options.profile;
  if (folder === undefined) return {};
  return {
    NODE_OPTIONS: `--import=${rig.compiled('rig/profile')}`,
    BENCH_PROFILE: `${folder}/${name}-${Date.now()}.cpuprofile`,
  };
}

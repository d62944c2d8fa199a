import { migrate } from '#core/postgres/migrate/migrate.js';
import type { GivenSettings } from '#core/process/config.js';
import { freePort } from './processes/free-port.js';
import type { ProcessOptions } from './processes/process.js';
import { type Supervised, supervise } from './processes/supervisor.js';
import type { Secrets } from './secrets.js';

export interface StackOptions {
  redisUrl: string;
  databaseUrl: string;
  secrets: Secrets;
  /** An API for each. */
  ports: readonly number[];
  /** Without it there is no admin. */
  adminPort?: number;
  /** 1 if not given. */
  workers?: number;
  /** Further settings, the same for every process. */
  settings?: GivenSettings;
  /** Where the processes' own output goes; nowhere if not given. */
  log?: NodeJS.WritableStream;
  /** Told in one line of each process that died and is started again. */
  tell?: (line: string) => void;
}

/** The processes of Dropline, ready and supervised. */
export interface Stack {
  /** Where each API is. */
  baseUrls: string[];
  adminUrl: string | undefined;
  apis: Supervised[];
  workers: Supervised[];
  admin: Supervised | undefined;
  /** Ends them in order: first what takes work in. */
  stop(): Promise<void>;
}

/** Where a process that listens on `host` can be asked. */
function placeOf(host: string | undefined, port: number): string {
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? '127.0.0.1' : host}:${port}`;
}

const NO_METRICS = { METRICS_PORT: '0' };

type Plan = Pick<ProcessOptions, 'name' | 'environment' | 'ready'>;

/** The port for metrics, if one is given, is that of the first API: two can't have it. */
function api(options: StackOptions, port: number, index: number): Plan {
  const { redisUrl: REDIS_URL, settings, secrets } = options;
  const own = { REDIS_URL, AUTH_SECRET: secrets.AUTH_SECRET, PORT: `${port}`, ...(index === 0 ? {} : NO_METRICS) };
  return {
    name: 'api',
    environment: { HOST: '127.0.0.1', ...settings, ...own },
    ready: { url: `${placeOf(options.settings?.HOST, port)}/readyz` },
  };
}

/** A worker has no port but the one for its metrics, which it opens when it has its clients. */
async function worker(options: StackOptions): Promise<Plan> {
  const port = await freePort();
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = options;
  return {
    name: 'worker',
    environment: { ...options.settings, REDIS_URL, DATABASE_URL, METRICS_PORT: `${port}`, METRICS_HOST: '127.0.0.1' },
    ready: { url: `http://127.0.0.1:${port}/metrics` },
  };
}

function admin(options: StackOptions, port: number): Plan {
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL, secrets } = options;
  return {
    name: 'admin',
    environment: {
      ADMIN_HOST: '127.0.0.1',
      ...options.settings,
      REDIS_URL,
      DATABASE_URL,
      ...secrets,
      ...NO_METRICS,
      ADMIN_PORT: `${port}`,
    },
    ready: { url: `${placeOf(options.settings?.ADMIN_HOST, port)}/healthz` },
  };
}

/** All at once, or none: what did start is stopped when another didn't. */
async function startAll(plans: Plan[], options: StackOptions): Promise<Supervised[]> {
  const tell = options.tell ?? (() => undefined);
  const log = options.log && { log: options.log };
  const results = await Promise.allSettled(plans.map(plan => supervise({ ...plan, ...log }, tell)));
  const started = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find(result => result.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map(process => process.stop()));
  throw failed.reason;
}

/**
 * Brings the database up to date, starts the processes on two stores that answer, and waits until all are ready.
 *
 * @param options the stores, and which processes
 * @returns the processes, ready
 * @throws when the migration or a process fails, with its own words; nothing runs then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  await migrate(options.databaseUrl);
  const workers = await Promise.all(Array.from({ length: options.workers ?? 1 }, () => worker(options)));
  const plans = [...options.ports.map((port, index) => api(options, port, index)), ...workers];
  if (options.adminPort !== undefined) plans.push(admin(options, options.adminPort));
  const started = await startAll(plans, options);
  const named = (name: string) => started.filter(process => process.name === name);
  const apis = named('api');
  return {
    baseUrls: options.ports.map(port => placeOf(options.settings?.HOST, port)),
    adminUrl: options.adminPort === undefined ? undefined : placeOf(options.settings?.ADMIN_HOST, options.adminPort),
    apis,
    workers: named('worker'),
    admin: named('admin')[0],
    async stop() {
      await Promise.all(apis.map(process => process.stop()));
      await Promise.all(started.map(process => process.stop()));
    },
  };
}

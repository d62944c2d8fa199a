import { migrate } from '#core/postgres/migrate/migrate.js';
import type { GivenSettings } from '#core/process/config.js';
import { freePort } from './processes/free-port.js';
import type { ProcessOptions } from './processes/process.js';
import { type Supervised, startSupervised } from './processes/supervisor.js';
import type { Secrets } from './secrets.js';

/** The stores of a stack, and which processes run on them. */
export interface StackOptions {
  redisUrl: string;
  databaseUrl: string;
  secrets: Secrets;
  /** The ports of the APIs, one for each. */
  ports: readonly number[];
  /** The port of the admin console. Without it, there is no console. */
  adminPort?: number;
  /** The number of workers; 1 if not given. */
  workers?: number;
  /** Further settings, the same for every process. */
  settings?: GivenSettings;
  /** Receives the processes' own output. */
  log?: NodeJS.WritableStream;
  /** Receives one line for each process that died and is started again. */
  tell?: (line: string) => void;
}

/** The processes of Dropline, ready and supervised. */
export interface Stack {
  /** The origins of the APIs. */
  baseUrls: string[];
  adminUrl: string | undefined;
  apis: Supervised[];
  workers: Supervised[];
  admin: Supervised | undefined;
  /** Ends the processes in order: the APIs, which take work in, come first. */
  stop(): Promise<void>;
}

/** Returns the origin at which this machine reaches a process that listens on `host`. */
function originOf(host: string | undefined, port: number): string {
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? '127.0.0.1' : host}:${port}`;
}

const NO_METRICS = { METRICS_PORT: '0' };

type Plan = Pick<ProcessOptions, 'name' | 'environment' | 'ready'>;

/** Plans an API. Only the first one gets the port for metrics, if one is given: two processes can't share it. */
function planApi(options: StackOptions, port: number, index: number): Plan {
  const { redisUrl: REDIS_URL, settings, secrets } = options;
  const own = { REDIS_URL, AUTH_SECRET: secrets.AUTH_SECRET, PORT: `${port}`, ...(index === 0 ? {} : NO_METRICS) };
  return {
    name: 'api',
    environment: { HOST: '127.0.0.1', ...settings, ...own },
    ready: { url: `${originOf(options.settings?.HOST, port)}/readyz` },
  };
}

/** Plans a worker. Its only port is for metrics, and it opens that port once its clients are connected. */
async function planWorker(options: StackOptions): Promise<Plan> {
  const port = await freePort();
  const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = options;
  return {
    name: 'worker',
    environment: { ...options.settings, REDIS_URL, DATABASE_URL, METRICS_PORT: `${port}`, METRICS_HOST: '127.0.0.1' },
    ready: { url: `http://127.0.0.1:${port}/metrics` },
  };
}

function planAdmin(options: StackOptions, port: number): Plan {
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
    ready: { url: `${originOf(options.settings?.ADMIN_HOST, port)}/healthz` },
  };
}

/** Starts all processes at once. If one doesn't start, the others are stopped. */
async function startAll(plans: Plan[], options: StackOptions): Promise<Supervised[]> {
  const tell = options.tell ?? (() => undefined);
  const log = options.log && { log: options.log };
  const results = await Promise.allSettled(plans.map(plan => startSupervised({ ...plan, ...log }, tell)));
  const started = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find(result => result.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map(process => process.stop()));
  throw failed.reason;
}

/**
 * Migrates the database, starts the processes on two stores that answer, and waits until all processes are ready.
 *
 * @returns the processes, ready
 * @throws when the migration or a process fails, with its own words; then nothing is left running
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  await migrate(options.databaseUrl);
  const workers = await Promise.all(Array.from({ length: options.workers ?? 1 }, () => planWorker(options)));
  const plans = [...options.ports.map((port, index) => planApi(options, port, index)), ...workers];
  if (options.adminPort !== undefined) plans.push(planAdmin(options, options.adminPort));
  const started = await startAll(plans, options);
  const named = (name: string) => started.filter(process => process.name === name);
  const apis = named('api');
  return {
    baseUrls: options.ports.map(port => originOf(options.settings?.HOST, port)),
    adminUrl: options.adminPort === undefined ? undefined : originOf(options.settings?.ADMIN_HOST, options.adminPort),
    apis,
    workers: named('worker'),
    admin: named('admin')[0],
    async stop() {
      await Promise.all(apis.map(process => process.stop()));
      await Promise.all(started.map(process => process.stop()));
    },
  };
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { GuardedProcess } from '../processes/guarded-process.js';
import { locatePostgresBinaries } from './postgres/binaries.js';
import { createPostgresHome } from './postgres/home.js';
import { choosePostgresUser } from './postgres/user.js';
import { createPostgresCluster, freeCluster, POSTGRES_ENVIRONMENT } from './postgres-cluster.js';
import { createServerFolder, startServer } from './server.js';

/** A fast shutdown writes a checkpoint first. */
const STOP_GRACE_MS = 10_000;
const CONNECT_DEADLINE_MS = 5_000;
const DATABASE = 'dropline';
/** The name goes into a statement and a URL unquoted. */
const DATABASE_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Where a private Postgres keeps its data and listens. */
export interface PostgresOptions {
  /** The folder of its data. It is created if need be, and a server can be started on it again. */
  dir: string;
  /** A fixed port. Without it, a free one is found. */
  port?: number;
}

/** A private Postgres that answers. */
export class PostgresServer {
  /** The URL of the database `dropline`, for the superuser `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly #process: GuardedProcess;

  /** Wraps a server that {@link startPostgres} has started. */
  constructor(process: GuardedProcess, port: number, url: string) {
    this.url = url;
    this.port = port;
    this.pid = process.pid;
    this.#process = process;
  }

  /** Creates one more database unless it exists, and returns its URL. */
  createDatabase(name: string): Promise<string> {
    return createDatabase(this.port, name);
  }

  /** Ends the server in order, and closes open connections. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** Sends SIGKILL to the postmaster. The processes of its connections end by themselves. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }
}

function settings(data: string, port: number): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    max_connections: 200,
    shared_buffers: '128MB',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
    // In the data folder, not in /dev/shm: a killed server would leave files there, and containers have little of it.
    dynamic_shared_memory_type: 'mmap',
    // The client that sent a wrong statement gets its error. Only what concerns the server goes into the log.
    log_min_messages: 'log',
  };
  return ['-D', data, ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Reads the state that the postmaster notes: its pid in the first line, `ready` or `standby` in the eighth. */
async function isReady(data: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && /^(ready|standby)\s*$/.test(lines[7] ?? '');
}

async function createDatabase(port: number, name: string): Promise<string> {
  if (!DATABASE_NAME.test(name)) throw new Error(`not a database name: ${name}`);
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const client = new pg.Client({
    connectionString: url('postgres'),
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
  });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  return url(name);
}

/**
 * Starts a private Postgres on 127.0.0.1 and waits until it answers. If we are root, Postgres runs as another account. The server
 * has no password: every user of this machine can connect. Set DATABASE_URL for anything but a demo or a test.
 *
 * @returns the server, ready, with the database `dropline`
 * @throws when Postgres can't run here or doesn't start, with its own log
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  await createServerFolder(options.dir);
  const wanted = choosePostgresUser(join(options.dir, 'data'));
  const home = await createPostgresHome(options.dir, wanted);
  // The home may be elsewhere, with data that has an owner already.
  const user = wanted && choosePostgresUser(join(home, 'data'));
  const binaries = await locatePostgresBinaries(home, user);
  const data = await createPostgresCluster({ binaries, home, user });
  await freeCluster(data);
  const { process, port } = await startServer({
    name: 'Postgres',
    command: join(binaries, 'bin', 'postgres'),
    args: port => settings(data, port),
    cwd: home,
    environment: POSTGRES_ENVIRONMENT,
    user,
    logFile: join(home, 'postgres.log'),
    stopSignal: 'SIGINT',
    graceMs: STOP_GRACE_MS,
    port: options.port,
    ready: pid => isReady(data, pid),
  });
  return new PostgresServer(process, port, await createDatabase(port, DATABASE));
}

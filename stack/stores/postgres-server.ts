import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { GuardedProcess } from '../processes/guarded-process.js';
import { postgresBinaries } from './postgres-binaries.js';
import { freeCluster, POSTGRES_ENVIRONMENT, postgresCluster } from './postgres-cluster.js';
import { postgresHome } from './postgres-home.js';
import { postgresUser } from './postgres-user.js';
import { serverFolder, startServer } from './server.js';

/** A fast shutdown writes a checkpoint first. */
const STOP_GRACE_MS = 10_000;
const CONNECT_DEADLINE_MS = 5_000;
const DATABASE = 'dropline';
/** It goes into a statement and a URL as it is. */
const DATABASE_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

export interface PostgresOptions {
  /** Its data; created if need be, and it can be started again on the same folder. */
  dir: string;
  /** A fixed port; without it a free one is found. */
  port?: number;
}

/** A private Postgres that answers. */
export interface PostgresServer {
  /** The database `dropline`, as the superuser `postgres`. */
  url: string;
  port: number;
  pid: number;
  process: GuardedProcess;
  /** Creates one more database (unless it exists) and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Ends it in order, with open connections closed. */
  stop(): Promise<void>;
  /** kill -9 of the postmaster; the processes of its connections end by themselves. */
  kill(): Promise<void>;
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
    // In the data folder, not in /dev/shm: there a killed server would leave files behind, and containers have little of it.
    dynamic_shared_memory_type: 'mmap',
    // What a statement did wrong is told to who sent it; only what concerns the server goes into its log.
    log_min_messages: 'log',
  };
  return ['-D', data, ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** The postmaster notes its own state: its pid in the first line, `ready` in the eighth. */
async function noted(data: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
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
 * Starts a Postgres of our own on 127.0.0.1 and waits until it answers. As root it runs as another account. It trusts whoever
 * can log in to this machine: there is no password, as befits a private store of a demo or a test. For anything else set DATABASE_URL.
 *
 * @param options where its data is
 * @returns the server; it answers, and has the database
 * @throws when it can't run here or doesn't start, with its own log
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  await serverFolder(options.dir);
  const someone = postgresUser(join(options.dir, 'data'));
  const home = await postgresHome(options.dir, someone);
  const user = someone && postgresUser(join(home, 'data'));
  const binaries = await postgresBinaries(home, user);
  const data = await postgresCluster(binaries, home, user);
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
    ready: pid => noted(data, pid),
  });
  return {
    url: await createDatabase(port, DATABASE),
    port,
    pid: process.pid,
    process,
    createDatabase: name => createDatabase(port, name),
    stop: async () => void (await process.stop()),
    kill: async () => void (await process.kill()),
  };
}

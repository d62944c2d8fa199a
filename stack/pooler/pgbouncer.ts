import { existsSync, writeFileSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { choosePostgresUser } from '../stores/postgres/user.js';
import { startServer } from '../stores/server.js';

/** The PATH of an ordinary user often lacks the sbin folders. */
const COMMAND = ['/usr/sbin/pgbouncer', '/usr/local/bin/pgbouncer'].find(existsSync) ?? 'pgbouncer';
const STOP_GRACE_MS = 5_000;

/** How PgBouncer hands out its connections to Postgres. */
export type PoolMode = 'session' | 'transaction' | 'statement';

/** PgBouncer in front of a Postgres. */
export interface PgBouncer {
  port: number;
  /** Returns the same URL with the port of PgBouncer. */
  through(url: string): string;
  /** Ends PgBouncer, and cuts its connections. */
  stop(): Promise<void>;
}

/** A PgBouncer that is to start. */
export interface PgBouncerOptions {
  /** A folder of its own. */
  dir: string;
  /** The URL of a Postgres that trusts its clients. */
  databaseUrl: string;
  mode: PoolMode;
  /** The most connections to Postgres for each database and user; 20 as in PgBouncer's own default. */
  poolSize?: number;
}

/**
 * Starts PgBouncer as Debian ships it, with its default settings but for the mode. Its users are those of Postgres.
 *
 * @returns PgBouncer, ready
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const { dir, databaseUrl, mode, poolSize = 20 } = options;
  const { port: postgresPort, username } = new URL(databaseUrl);
  const user = choosePostgresUser(join(dir, 'absent'));
  await mkdir(dir, { recursive: true });
  if (user) await chown(dir, user.uid, user.gid);
  const ini = join(dir, 'pgbouncer.ini');
  const configOf = (port: number) => `[databases]
* = host=127.0.0.1 port=${postgresPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(dir, 'users.txt')}
auth_user = ${username}
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 500
`;
  await writeFile(join(dir, 'users.txt'), `"${username}" ""\n`);
  const { process, port } = await startServer({
    name: 'PgBouncer',
    command: COMMAND,
    args: port => {
      // PgBouncer takes no port on its command line.
      writeFileSync(ini, configOf(port), { mode: 0o644 });
      return [ini];
    },
    cwd: dir,
    user,
    logFile: join(dir, 'pgbouncer.log'),
    stopSignal: 'SIGINT',
    graceMs: STOP_GRACE_MS,
    ready: (_, port) => accepts(port),
  });
  return {
    port,
    through: url => {
      const own = new URL(url);
      own.port = String(port);
      return own.href;
    },
    stop: async () => {
      await process.stop();
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

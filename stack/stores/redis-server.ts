import { connect } from 'node:net';
import { join } from 'node:path';
import { untilUnoccupied } from './occupant.js';
import { locateRedisBinary } from './redis-binary.js';
import { createServerFolder, startServer } from './server.js';

const STOP_GRACE_MS = 5_000;
const PROBE_DEADLINE_MS = 1_000;

/** Where a private Redis keeps its data and listens, and how durable its answers are. */
export interface RedisOptions {
  /** The folder of its data. It is created if need be, and a server can be started on it again. */
  dir: string;
  /** A fixed port. Without it, a free one is found. */
  port?: number;
  /** With `always` (the default) no answered write is lost, even on power loss. With `everysec` up to 2 s of writes can be. */
  appendFsync?: 'always' | 'everysec';
  /** Further settings, as on its command line. */
  settings?: readonly string[];
}

/** A private Redis that answers. */
export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  /** Ends the server in order: every answered write is on disk. */
  stop(): Promise<void>;
  /** Sends SIGKILL. */
  kill(): Promise<void>;
}

/** Asks without a client library, which would only try to reconnect while the server starts. */
function ask(port: number, question: string): Promise<string> {
  return new Promise(resolve => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(PROBE_DEADLINE_MS, () => socket.destroy());
    socket.on('connect', () => socket.end(`${question}\r\nQUIT\r\n`));
    socket.on('data', chunk => {
      answer += chunk.toString();
    });
    socket.on('error', () => undefined); // nobody listens yet, and the answer stays empty
    socket.on('close', () => resolve(answer));
  });
}

/** Tells whether the server itself answers, not another one that took the port, and whether its data is loaded. */
export async function isRedisReady(pid: number, port: number): Promise<boolean> {
  const answer = await ask(port, 'PING\r\nINFO server');
  return answer.startsWith('+PONG') && answer.includes(`process_id:${pid}\r\n`);
}

function settings(options: RedisOptions, port: number): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', options.dir],
    ...['--appendonly', 'yes', '--appendfsync', options.appendFsync ?? 'always', '--save', ''],
    // A full Redis must refuse writes instead of evicting keys: a key holds the claims of a sale.
    ...['--maxmemory-policy', 'noeviction'],
    ...['--daemonize', 'no', '--pidfile', join(options.dir, 'redis.pid')],
    ...(options.settings ?? []),
  ];
}

/**
 * Starts a private, append-only Redis on 127.0.0.1 and waits until it answers. The server has no password: every user of this
 * machine can connect.
 *
 * @returns the server, ready
 * @throws when there is no server program (with the command that fixes it) or it doesn't start (with its log)
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const command = await locateRedisBinary();
  await createServerFolder(options.dir);
  await untilUnoccupied(join(options.dir, 'redis.pid'), options.dir);
  const { process, port } = await startServer({
    name: 'Redis',
    command,
    args: port => settings(options, port),
    cwd: options.dir,
    logFile: join(options.dir, 'redis.log'),
    stopSignal: 'SIGTERM',
    graceMs: STOP_GRACE_MS,
    port: options.port,
    ready: isRedisReady,
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: process.pid,
    stop: async () => void (await process.stop()),
    kill: async () => void (await process.kill()),
  };
}

import { connect } from 'node:net';
import { join } from 'node:path';
import type { GuardedProcess } from '../processes/guarded-process.js';
import { untilUnoccupied } from './occupant.js';
import { redisBinary } from './redis-binary.js';
import { serverFolder, startServer } from './server.js';

const STOP_GRACE_MS = 5_000;
const PROBE_DEADLINE_MS = 1_000;

export interface RedisOptions {
  /** Its data; created if need be, and it can be started again on the same folder. */
  dir: string;
  /** A fixed port; without it a free one is found. */
  port?: number;
  /** `always` (the default) loses nothing that was answered, even on power loss; `everysec` up to 2 s of it. */
  appendFsync?: 'always' | 'everysec';
  /** Further settings, as on its command line. */
  settings?: readonly string[];
}

/** A private Redis that answers. */
export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  process: GuardedProcess;
  /** Ends it in order: what it has answered is on disk. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Asks without a client library, whose reconnecting would only be in the way while the server starts. */
function ask(port: number, question: string): Promise<string> {
  return new Promise(resolve => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(PROBE_DEADLINE_MS, () => socket.destroy());
    socket.on('connect', () => socket.end(`${question}\r\nQUIT\r\n`));
    socket.on('data', chunk => {
      answer += chunk.toString();
    });
    socket.on('error', () => undefined); // not there yet: no answer
    socket.on('close', () => resolve(answer));
  });
}

/** Whether the server itself answers, not another one that took the port, and whether its data is loaded. */
async function answers(pid: number, port: number): Promise<boolean> {
  const answer = await ask(port, 'PING\r\nINFO server');
  return answer.startsWith('+PONG') && answer.includes(`process_id:${pid}\r\n`);
}

function settings(options: RedisOptions, port: number): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', options.dir],
    ...['--appendonly', 'yes', '--appendfsync', options.appendFsync ?? 'always', '--save', ''],
    // A full Redis must refuse, never forget: every key is somebody's claim.
    ...['--maxmemory-policy', 'noeviction'],
    ...['--daemonize', 'no', '--pidfile', join(options.dir, 'redis.pid')],
    ...(options.settings ?? []),
  ];
}

/**
 * Starts a Redis of our own on 127.0.0.1, append-only, and waits until it answers. It has no password: whoever can log in to
 * this machine can reach it.
 *
 * @param options where its data is
 * @returns the server; it answers
 * @throws when there is no server to run (with the command that fixes it) or it doesn't start (with its log)
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const command = await redisBinary();
  await serverFolder(options.dir);
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
    ready: answers,
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: process.pid,
    process,
    stop: async () => void (await process.stop()),
    kill: async () => void (await process.kill()),
  };
}

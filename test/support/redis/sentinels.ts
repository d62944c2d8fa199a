import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '#stack/processes/until.js';
import { locateRedisBinary } from '#stack/stores/redis-binary.js';
import { isRedisReady } from '#stack/stores/redis-server.js';
import { createServerFolder, startServer } from '#stack/stores/server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';

/** The name under which the Sentinels know the primary. */
const NAME = 'main';

/** Two of three Sentinels agree that the primary is down. */
const COUNT = 3;
const QUORUM = 2;

/** After this time without an answer the primary counts as down, in ms. */
const DOWN_AFTER_MS = 1_000;
const FAILOVER_TIMEOUT_MS = 4_000;
const STOP_GRACE_MS = 5_000;
const KNOWN_MS = 30_000;

/** Sentinels that watch one primary. */
export interface Sentinels {
  /** The Redis in the form of REDIS_URL. */
  url: string;
  pids: readonly number[];
  ports: readonly number[];
  /** Asks one Sentinel for the port of the primary. */
  primaryPort(sentinel?: number): Promise<number>;
  /** Orders a failover. Rejects until a replica can take over. */
  failOver(): Promise<unknown>;
  stop(): Promise<void>;
}

const configOf = (primaryPort: number, extra: readonly string[]): string =>
  [
    `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
    ...extra,
    '',
  ].join('\n');

/** Starts a Sentinel, which is the program of Redis in another mode. It writes what it learns into its file. */
export async function startSentinel(dir: string, primaryPort: number, extra: readonly string[]) {
  await createServerFolder(dir);
  const file = join(dir, 'sentinel.conf');
  await writeFile(file, configOf(primaryPort, extra));
  return startServer({
    name: 'Sentinel',
    command: await locateRedisBinary(),
    args: port => [file, '--sentinel', '--port', String(port), '--bind', '127.0.0.1'],
    cwd: dir,
    logFile: join(dir, 'sentinel.log'),
    stopSignal: 'SIGTERM',
    graceMs: STOP_GRACE_MS,
    // With a password a Sentinel answers NOAUTH, so the caller waits by its own connection.
    ready: extra.length > 0 ? async () => true : isRedisReady,
  });
}

/** Tells whether a Sentinel knows the replica and the other Sentinels. */
async function knowsAll(client: Redis): Promise<boolean> {
  const fields = (await client.call('SENTINEL', 'MASTER', NAME)) as string[];
  const countOf = (field: string) => Number(fields[fields.indexOf(field) + 1]);
  return countOf('num-slaves') >= 1 && countOf('num-other-sentinels') >= COUNT - 1;
}

/**
 * Starts three Sentinels that watch a primary with one replica, and waits until they know each other.
 *
 * @param password the password of the Sentinels themselves, if they shall have one
 */
export async function startSentinels(primaryPort: number, password?: string): Promise<Sentinels> {
  const dir = await createTemporaryFolder();
  const extra = password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`];
  const servers = await Promise.all(
    Array.from({ length: COUNT }, (_, i) => startSentinel(join(dir, `sentinel-${i + 1}`), primaryPort, extra)),
  );
  const ports = servers.map(({ port }) => port);
  const clients = ports.map(port => new Redis({ port, ...(password === undefined ? {} : { password }) }));
  for (const client of clients) {
    if (!(await until(() => knowsAll(client), KNOWN_MS))) throw new Error('the Sentinels do not know each other');
  }
  return {
    url: `redis+sentinel://${ports.map(port => `127.0.0.1:${port}`).join(',')}/${NAME}/0`,
    pids: servers.map(({ process }) => process.pid),
    ports,
    async primaryPort(sentinel = 0) {
      const address = await clients[sentinel]?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
      return Number((address as string[])[1]);
    },
    failOver: async () => clients[0]?.call('SENTINEL', 'FAILOVER', NAME),
    async stop() {
      for (const client of clients) client.disconnect();
      await Promise.all(servers.map(({ process }) => process.stop()));
      await removeTemporaryFolder(dir);
    },
  };
}

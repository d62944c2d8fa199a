import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../processes/free-port.js';
import { until } from '../processes/until.js';
import { type RedisOptions, type RedisServer, startRedis } from './redis-server.js';

/** The slots of a Redis Cluster. */
const SLOTS = 16_384;

/** A replica takes over when its primary was silent for this long, in ms. Redis's own default is 15 s. */
const NODE_TIMEOUT_MS = 2_000;

/** A cluster is formed within 2 s. The machine may be busy with other things. */
const FORM_DEADLINE_MS = 60_000;

/** A node that is not frozen answers within this time, in ms, also on a busy machine. */
const ANSWER_MS = 20_000;

/** The size of a cluster, and where its nodes keep their data. */
export interface RedisClusterOptions extends Pick<RedisOptions, 'appendFsync'> {
  /** A folder for the folders of the nodes. */
  dir: string;
  /** The number of primaries, which share the slots evenly. */
  primaries: number;
  /** The number of replicas of each primary. */
  replicas?: number;
}

/** A node of a cluster. */
export interface ClusterNode extends RedisServer {
  /** Its own id in the cluster. */
  id: string;
  /** The port at which other nodes talk to it. */
  busPort: number;
  /** The folder of its data. */
  dir: string;
}

/** A private Redis Cluster whose nodes answer for all slots. */
export interface RedisCluster {
  url: string;
  /** The primaries, and then the replicas, in the order of their primaries. */
  nodes: ClusterNode[];
  /** Starts another node, which joins without slots. */
  addNode(): Promise<ClusterNode>;
  /** Starts a node again that was killed, on its folder and port. */
  restartNode(node: ClusterNode): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a private Redis Cluster on 127.0.0.1. A slot without a node makes only itself unavailable.
 *
 * @returns the cluster, whose nodes all know each other
 * @throws when a node doesn't start, or the cluster is not formed within 60 s
 */
export async function startRedisCluster(options: RedisClusterOptions): Promise<RedisCluster> {
  const { dir, primaries, replicas = 0, appendFsync = 'always' } = options;
  const nodes: ClusterNode[] = [];
  const stop = async () => void (await Promise.all(nodes.map(node => node.stop())));
  const start = async (): Promise<ClusterNode> => {
    const node = await startNode(join(dir, `node-${nodes.length}`), { appendFsync });
    nodes.push(node);
    return node;
  };
  try {
    for (let i = 0; i < primaries * (1 + replicas); i += 1) await start();
    await form(nodes, primaries);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    stop,
    async addNode() {
      const node = await start();
      await meet(nodes);
      // It takes no key for its first seconds in the cluster.
      await untilEach([node], askState, isOk);
      return node;
    },
    async restartNode(node) {
      Object.assign(node, await startNode(node.dir, { appendFsync, port: node.port }));
    },
  };
}

async function startNode(
  dir: string,
  { appendFsync, port }: { appendFsync: 'always' | 'everysec'; port?: number },
): Promise<ClusterNode> {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
  const partial = ['--cluster-require-full-coverage', 'no', '--cluster-replica-validity-factor', '0'];
  const busPort = await freePort();
  const server = await startRedis({
    dir,
    appendFsync,
    ...(port === undefined ? {} : { port }),
    settings: [...cluster, ...partial, '--cluster-port', String(busPort), '--repl-diskless-sync-delay', '0'],
  });
  const id = await askNode(server, client => client.cluster('MYID') as Promise<string>);
  return { ...server, id, busPort, dir };
}

/** Gives the slots to the primaries, lets all nodes meet, and makes the others replicas. */
async function form(nodes: readonly ClusterNode[], primaries: number): Promise<void> {
  for (const [i, node] of nodes.slice(0, primaries).entries()) {
    const [first, last] = [i, i + 1].map(part => Math.round((part * SLOTS) / primaries)) as [number, number];
    await askNode(node, client => client.cluster('ADDSLOTSRANGE', first, last - 1));
    // Without an epoch of its own, two nodes would have to find out which is the later one.
    await askNode(node, client => client.cluster('SET-CONFIG-EPOCH', i + 1));
  }
  await meet(nodes);
  for (const [i, node] of nodes.slice(primaries).entries()) {
    const primary = nodes[i % primaries] as ClusterNode;
    await askNode(node, client => client.cluster('REPLICATE', primary.id));
  }
  await untilEach(
    nodes.slice(primaries),
    client => client.info('replication'),
    info => info.includes('master_link_status:up'),
  );
  const replicas = nodes.length - primaries;
  const knowsRoles = (text: string) => (text.match(/ (myself,)?slave /g) ?? []).length === replicas;
  await untilEach(nodes, client => client.cluster('NODES') as Promise<string>, knowsRoles);
  await untilEach(nodes, askState, info => isOk(info) && info.includes(`cluster_slots_ok:${SLOTS}`));
}

const askState = (client: Redis) => client.cluster('INFO') as Promise<string>;

const isOk = (info: string): boolean => info.includes('cluster_state:ok');

/** Lets each node meet the first one, and waits until all know all. */
async function meet(nodes: readonly ClusterNode[]): Promise<void> {
  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
  for (const { port, busPort } of others) {
    await askNode(first, client => client.cluster('MEET', '127.0.0.1', port, busPort));
  }
  const knowsAll = (text: string) => !text.includes('handshake') && text.trim().split('\n').length === nodes.length;
  await untilEach(nodes, client => client.cluster('NODES') as Promise<string>, knowsAll);
}

async function untilEach(
  nodes: readonly ClusterNode[],
  question: (client: Redis) => Promise<string>,
  isAnswer: (text: string) => boolean,
): Promise<void> {
  for (const node of nodes) {
    const isThere = async () => isAnswer(await askNode(node, question));
    if (!(await until(isThere, FORM_DEADLINE_MS)))
      throw new Error(`the Redis Cluster was not formed: ${await askNode(node, question)}`);
  }
}

/**
 * Asks a node over a connection of its own, also a replica, which connections of the product refuse.
 *
 * @param limitMs time limit for an answer, in ms: a frozen node never gives one
 */
export async function askNode<T>(
  { port }: { port: number },
  question: (client: Redis) => Promise<T>,
  limitMs = ANSWER_MS,
): Promise<T> {
  const client = new Redis({ port, commandTimeout: limitMs, maxRetriesPerRequest: 0, retryStrategy: () => null });
  // The question that fails has the same error.
  client.on('error', () => undefined);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

import { bucketOf } from '#core/redis/keys.js';
import { until } from '#stack/processes/until.js';
import { askNode, type ClusterNode, type RedisCluster } from '#stack/stores/redis-cluster.js';
import { ChaosNode } from './node.js';

/** After a fault a cluster is whole within some seconds. The machine may be busy with other things. */
const WHOLE_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** A node of a Redis Cluster, and its role by its own words. */
export interface RedisNode {
  node: ChaosNode;
  server: ClusterNode;
  /** The slots that it serves, as ranges with both ends; those of its primary if it is a replica. */
  slots: [first: number, last: number][];
  /** Undefined for a primary. */
  primary?: RedisNode;
}

/** Flags of a node that another one doesn't reach, or doesn't know well yet. */
const UNSURE = /\b(fail\??|handshake|noaddr)(?=[, ])| disconnected/;

/** The nodes of a Redis Cluster, each of which can be broken. Nodes are asked only while all of them run. */
export class RedisNodes {
  readonly #cluster: RedisCluster;
  readonly #nodes = new Map<ClusterNode, ChaosNode>();
  readonly #onNode: (node: ChaosNode) => void;

  /** @param onNode receives each node, now and later */
  constructor(cluster: RedisCluster, onNode: (node: ChaosNode) => void) {
    this.#cluster = cluster;
    this.#onNode = onNode;
    for (const server of cluster.nodes) this.#take(server);
  }

  /** The servers, in the order in which they joined. */
  get servers(): readonly ClusterNode[] {
    return this.#cluster.nodes;
  }

  /** Starts another node, which joins without slots, and waits until it serves. */
  async addNode(): Promise<ClusterNode> {
    const server = await this.#cluster.addNode();
    this.#take(server);
    await this.untilWhole();
    return server;
  }

  /** Asks the cluster for the slot of each sale. */
  async slotsOf(saleIds: readonly string[]): Promise<Map<string, number>> {
    const slots = await askNode(this.#first, client =>
      Promise.all(saleIds.map(id => client.cluster('KEYSLOT', bucketOf(id)) as Promise<number>)),
    );
    return new Map(saleIds.map((id, i) => [id, slots[i] as number]));
  }

  /** Reads the role of each node. */
  async roles(): Promise<RedisNode[]> {
    const lines = (await readNodes(this.#first)).map(line => line.split(' '));
    const found = new Map<string, RedisNode & { of: string }>();
    for (const [server, node] of this.#nodes) {
      const [, , , of = '-', , , , , ...slots] = lines.find(([id]) => id === server.id) ?? [];
      const ranges = slots.filter(slot => !slot.startsWith('[')).map(parseRange);
      found.set(server.id, { node, server, slots: ranges, of });
    }
    for (const replica of found.values()) {
      const primary = found.get(replica.of);
      if (primary) Object.assign(replica, { primary, slots: primary.slots });
    }
    return [...found.values()];
  }

  /**
   * Waits until every node runs, knows all others, and has the data of its primary.
   *
   * @throws Error when that takes longer than a minute
   */
  async untilWhole(): Promise<void> {
    let last: string | undefined;
    const isWhole = async () => {
      last = await this.#flaw().catch(error => String(error));
      return last === undefined;
    };
    if (!(await until(isWhole, WHOLE_MS, LOOK_EVERY_MS))) throw new Error(`the Redis Cluster is not whole: ${last}`);
  }

  get #first(): ClusterNode {
    return this.#cluster.nodes[0] as ClusterNode;
  }

  /** Finds what keeps the cluster from being whole, in words. */
  async #flaw(): Promise<string | undefined> {
    const views = new Set<string>();
    for (const [server, node] of this.#nodes) {
      const { name } = node;
      if (node.pid() === undefined) return `${name} is down`;
      const lines = await readNodes(server);
      const state = await askNode(server, client => client.cluster('INFO') as Promise<string>);
      const info = await askNode(server, client => client.info('replication'));
      const unsure = lines.find(line => UNSURE.test(line));
      if (unsure || lines.length !== this.#nodes.size) return `${name} says: ${unsure ?? lines.length}`;
      views.add(lines.map(rolesOf).sort().join('\n'));
      // A node that has just joined, or was away, refuses everything for some time.
      if (!state.includes('cluster_state:ok')) return `${name} does not serve`;
      if (info.includes('role:slave') && !info.includes('master_link_status:up')) return `${name} lacks data`;
    }
    // A primary that was away does not know at once that it was replaced.
    return views.size === 1 ? undefined : 'the nodes do not agree';
  }

  #take(server: ClusterNode): void {
    const node = new ChaosNode('redis', `redis-${this.#nodes.size + 1}`, {
      first: { ...server },
      start: async () => {
        await this.#cluster.restartNode(server);
        return { ...server };
      },
    });
    this.#nodes.set(server, node);
    this.#onNode(node);
  }
}

/** Reads the nodes that a node knows, one a line (https://redis.io/docs/latest/commands/cluster-nodes/). */
async function readNodes(server: ClusterNode): Promise<string[]> {
  const text = await askNode(server, client => client.cluster('NODES') as Promise<string>);
  return text.trim().split('\n');
}

/** Picks what all nodes must agree about: the role of a node, its primary and its slots. */
function rolesOf(line: string): string {
  const [id, , flags = '', primary, , , , , ...slots] = line.split(' ');
  return [id, flags.includes('slave'), primary, ...slots.filter(slot => !slot.startsWith('['))].join(' ');
}

function parseRange(text: string): [first: number, last: number] {
  const [first = '', last = first] = text.split('-');
  return [Number(first), Number(last)];
}

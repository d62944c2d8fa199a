import keySlot from 'cluster-key-slot';
import { bucketOf } from '#core/redis/keys.js';
import { until } from '#stack/processes/until.js';
import { askNode, type ClusterNode, type RedisCluster } from '#stack/stores/redis-cluster.js';

/** A failover takes 3 s, and longer on a busy machine, in ms. */
const OWNED_MS = 60_000;

/** Returns the slot of a sale on a Redis Cluster. */
export const slotOf = (saleId: string): number => keySlot(bucketOf(saleId));

/**
 * Waits until a node says of itself that it is a primary and serves a slot.
 *
 * @param except a node that is not asked: it is frozen, or is to lose the slot
 */
export async function ownerOf(
  { nodes }: Pick<RedisCluster, 'nodes'>,
  slot: number,
  except?: ClusterNode,
): Promise<ClusterNode> {
  let owner: ClusterNode | undefined;
  const others = nodes.filter(node => node !== except);
  const isOwned = async () => {
    const owns = await Promise.all(others.map(node => serves(node, slot)));
    owner = others[owns.indexOf(true)];
    return owner !== undefined;
  };
  if (!(await until(isOwned, OWNED_MS)) || !owner) throw new Error(`no node serves slot ${slot}`);
  return owner;
}

async function serves(node: ClusterNode, slot: number): Promise<boolean> {
  const text = await askNode(node, client => client.cluster('NODES') as Promise<string>).catch(() => '');
  const [, , flags = '', , , , , , ...slots] = (text.split('\n').find(line => line.includes('myself')) ?? '').split(
    ' ',
  );
  return flags.includes('master') && slots.some(range => isIn(range, slot));
}

/** A slot that moves is in brackets. */
function isIn(range: string, slot: number): boolean {
  const [first = NaN, last = first] = range.split('-').map(Number);
  return first <= slot && slot <= last;
}

/** Waits until every node answers and every replica has the data of its primary. */
export async function untilWhole({ nodes }: Pick<RedisCluster, 'nodes'>): Promise<void> {
  for (const node of nodes) {
    const isWhole = () =>
      askNode(node, client => client.info('replication')).then(
        info => info.includes('role:master') || info.includes('master_link_status:up'),
        () => false,
      );
    if (!(await until(isWhole, OWNED_MS))) throw new Error(`the node at ${node.port} does not come back`);
  }
}

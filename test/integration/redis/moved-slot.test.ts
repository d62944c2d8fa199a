import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { claim } from '#core/redis/claims/claim.js';
import { bucketOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Shards } from '#core/redis/shards.js';
import type { Sale } from '#core/rules/sale.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import { type Connections, connectInstallation } from '#stack/stores/connections.js';
import { askNode, type ClusterNode, type RedisCluster, startRedisCluster } from '#stack/stores/redis-cluster.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../../support/eventually.js';
import { beginSlotMove, endSlotMove, moveKeys, moveSlot, type SlotMove } from '../../support/redis/move-slot.js';
import { winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// The slot of a sale moves from one node of a Redis Cluster to another one.

const READY_MS = 60_000;
const MOVED_MS = 15_000;

const t = useStores();
let dir: string;
let cluster: RedisCluster;
let connections: Connections<Shards>;

beforeAll(async () => {
  dir = await createTemporaryFolder();
  cluster = await startRedisCluster({ dir, primaries: 2 });
  connections = await connectInstallation(cluster.url, t.databaseUrl);
}, READY_MS);
afterAll(async () => {
  await connections?.close();
  await cluster?.stop();
  await removeTemporaryFolder(dir);
});

/** Opens a sale, and describes the move of its slot to the other node. */
async function openSaleToMove(): Promise<{ sale: Sale; move: SlotMove }> {
  const sale = await createOpenSale(connections, { units: 5 });
  const [first, second] = cluster.nodes as [ClusterNode, ClusterNode];
  const slot = (await askNode(first, client => client.cluster('KEYSLOT', bucketOf(sale.id)))) as number;
  const isOnFirst = (await askNode(first, client => client.cluster('COUNTKEYSINSLOT', slot))) as number;
  return { sale, move: isOnFirst ? { slot, from: first, to: second } : { slot, from: second, to: first } };
}

test(
  'a sale is sold by its new node once it was compared there, and not before',
  async () => {
    const { sale, move } = await openSaleToMove();
    await winOne(connections, sale, 'ann');
    await moveSlot(move, cluster.nodes);
    const click = () => claim(connections.redis, sale.id, [{ buyerId: 'bob', claimId: randomUUID() }]);
    await eventually(async () => expect(await click()).toEqual([{ kind: 'refused', refusal: 'unverified' }]), MOVED_MS);
    await reconcileAll(connections);
    expect(await winOne(connections, sale, 'bob')).toMatchObject({ unit: 2 });
  },
  READY_MS,
);

test(
  'no script runs on a part of a sale while its slot moves',
  async () => {
    const { sale, move } = await openSaleToMove();
    const reopen = () => setSale(connections.redis, sale.id, { runId: 'another-run' });
    await beginSlotMove(move);
    await expect(reopen()).rejects.toThrow(/TRYAGAIN|ASK/);
    while ((await moveKeys(move)) > 0);
    await endSlotMove(move, cluster.nodes);
    await eventually(reopen, MOVED_MS);
  },
  READY_MS,
);

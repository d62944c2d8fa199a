import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { bucketOf } from '#core/redis/keys.js';
import type { ClusterNode } from '#stack/stores/redis-cluster.js';
import { type SteadyBuyers, sendSteadyBuyers } from '../../chaos/workload/steady-buyers.js';
import { eventually } from '../../support/eventually.js';
import { moveSlot } from '../../support/redis/move-slot.js';
import { ownerOf, slotOf, untilWhole } from '../../support/redis/slot-owner.js';
import { useInstallation } from './installation.js';

// Two APIs and a worker on three primaries and three replicas. The node of a sale is taken away while a crowd buys.

const WAIT_MS = 60_000;
const BUYER_EVERY_MS = 40;

const c = useInstallation({ primaries: 3, replicas: 1 });
let buyers: SteadyBuyers;
let opened = 0;

afterEach(() => buyers?.sendHome());

/** Opens a sale, sends a stream of buyers, and waits until they get units. Returns the node of the sale. */
async function sellInRush(): Promise<{ saleId: string; node: ClusterNode }> {
  opened += 1;
  const { id: saleId } = await c.t.open({ id: `rush-${opened}`, units: 5_000, payWithinSeconds: 3 });
  buyers = sendSteadyBuyers(c.t.client, saleId, BUYER_EVERY_MS);
  await untilAccepted();
  return { saleId, node: await ownerOf(c.stores.redis, slotOf(saleId)) };
}

/** Moves a bucket as an operator does. */
async function moveBucket(bucket: string, from: ClusterNode, to: ClusterNode): Promise<void> {
  const addresses = [from, to].map(({ port }) => `127.0.0.1:${port}`);
  await promisify(execFile)('sh', ['deploy/redis/move-bucket.sh', bucket, ...addresses], { cwd: checkout });
}

/** Waits until buyers get units, again or for the first time. */
async function untilAccepted(): Promise<void> {
  const before = buyers.accepted();
  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(before + 20), WAIT_MS);
}

async function expectAllKept(redisLostData: boolean): Promise<void> {
  await buyers.end();
  await c.t.expectAllKept({ redisLostData });
}

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'a crowd buys on after the primary of its sale got %s, and no unit is sold twice',
  async signal => {
    const { saleId, node } = await sellInRush();
    if (signal === 'SIGKILL') await node.kill();
    else process.kill(node.pid, signal);
    try {
      await ownerOf(c.stores.redis, slotOf(saleId), node);
      await untilAccepted();
    } finally {
      if (signal === 'SIGKILL') await c.stores.redis.restartNode(node);
      else process.kill(node.pid, 'SIGCONT');
    }
    await untilWhole(c.stores.redis);
    await untilAccepted();
    await expectAllKept(true);
  },
  240_000,
);

test('a crowd buys on after the slot of its sale has moved, and nothing is lost', async () => {
  const { saleId, node: from } = await sellInRush();
  let to = from;
  for (let other = 0; to === from; other += 1) to = await ownerOf(c.stores.redis, slotOf(`elsewhere-${other}`));
  await moveSlot({ slot: slotOf(saleId), from, to }, c.stores.redis.nodes);
  await untilAccepted();
  await expectAllKept(false);
}, 240_000);

test('a crowd buys on after the slot of its sale has moved to a node that was added, and nothing is lost', async () => {
  const { saleId, node: from } = await sellInRush();
  const to = await c.stores.redis.addNode();
  await moveBucket(bucketOf(saleId).slice(1, -1), from, to);
  expect(await ownerOf(c.stores.redis, slotOf(saleId))).toBe(to);
  await untilAccepted();
  await expectAllKept(false);
}, 240_000);

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { useStage } from '../chaos/rig/stage.js';
import { sendSteadyBuyers } from '../chaos/workload/steady-buyers.js';
import { eventually } from '../support/eventually.js';
import { type Member, startReplica } from '../support/redis/replica.js';

// A managed Redis that fails over by role: the old primary stays up as a replica, its connections stay open, and the address moves.

const s = useStage({ breakable: true });

const READY_MS = 30_000;

let old: Redis;
let replica: Member;

beforeAll(async () => {
  old = new Redis(s.cluster.redisUrl);
  replica = await startReplica(s.cluster.redisUrl);
}, 60_000);
afterAll(async () => {
  old?.disconnect();
  await replica?.stop();
});

/** Returns the status of the readiness of every process. */
async function readiness(): Promise<number[]> {
  const urls = [...s.cluster.baseUrls, ...s.cluster.workerUrls].map(url => `${url}/readyz`);
  return Promise.all(urls.map(async url => (await fetch(url)).status));
}

/** Returns the connections of the product to a server, by their names of the library. */
async function clientsOf(redis: Redis): Promise<string[]> {
  const clients = String(await redis.client('LIST')).split('\n');
  return clients.filter(line => line.includes('flags=N') || line.includes('flags=b') || line.includes('flags=P'));
}

test('a crowd buys on after a failover by role, and no process says ready while only a replica answers', async () => {
  const { id } = await s.open({ units: 5_000, payWithinSeconds: 3 });
  const buyers = sendSteadyBuyers(s.client, id, 40);
  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(20), READY_MS);
  await eventually(async () => expect(await readiness()).toEqual([200, 200, 200, 200]), READY_MS);

  await replica.redis.replicaof('NO', 'ONE');
  await old.replicaof('127.0.0.1', replica.port);
  await eventually(async () => expect(await readiness()).toEqual([503, 503, 503, 503]), READY_MS);
  s.moveRedisByRole(replica.url);
  await eventually(async () => expect(await readiness()).toEqual([200, 200, 200, 200]), READY_MS);
  // Ours is the one that asks.
  await eventually(async () => expect(await clientsOf(old)).toHaveLength(1), READY_MS);

  const before = buyers.accepted();
  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(before + 20), READY_MS);
  await buyers.end();
  await s.expectAllKept({ redisLostData: true });
}, 120_000);

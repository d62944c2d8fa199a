import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { eventually } from '../support/eventually.js';
import { type Member, startReplica } from '../support/redis/replica.js';
import { type FaultProxy, startFaultProxy } from '../support/stores/fault-proxy.js';
import { useStage } from './rig/stage.js';

// The primary dies, and a replica that lags behind replaces it. The replica lacks the last claims.

const s = useStage({ breakable: true });

const UNITS = 8;
const READY_MS = 15_000;

let replica: Member;
/** The link of the replication, which a test can stall. */
let link: FaultProxy;

beforeAll(async () => {
  link = await startFaultProxy(s.cluster.redisUrl);
  replica = await startReplica(s.cluster.redisUrl, link.port);
}, 60_000);

afterAll(async () => {
  await link?.close();
  await replica?.stop();
});

async function buy(saleId: string, buyerId: string) {
  const { http, claimId, unit, receipt } = await s.client.ask('buy', saleId, buyerId);
  expect({ http, claimId }).toMatchObject({ http: 202, claimId: expect.any(String) });
  return { buyerId, claimId, unit, receipt };
}

async function becomes(saleId: string, buyerId: string, status: string, receipt?: string): Promise<void> {
  await eventually(async () => {
    expect(await s.client.ask('order-status', saleId, buyerId, { receipt })).toMatchObject({ status });
  }, READY_MS);
}

test('no unit is sold twice, and the buyer of a lost claim gets it back or learns of the loss', async () => {
  const { id } = await s.open({ units: UNITS, payWithinSeconds: 60 });
  const early = await buy(id, 'early');
  await becomes(id, 'early', 'pending_payment');
  await eventually(async () => {
    expect(await replica.redis.hget(keysOf(id).claims, 'early')).toContain('pending_payment');
  }, READY_MS);

  link.set({ kind: 'stall' });
  const placed = await buy(id, 'placed');
  await becomes(id, 'placed', 'pending_payment');
  const workers = ['worker-1', 'worker-2'].map(name => s.node(name));
  for (const worker of workers) await worker.kill();
  const [restored, lost] = [await buy(id, 'restored'), await buy(id, 'lost')];
  await s.node('redis').kill();
  await replica.redis.replicaof('NO', 'ONE');
  expect(await replica.redis.llen(keysOf(id).stock)).toBe(UNITS - 1);
  s.moveRedis(replica.url);
  await eventually(async () => expect(await readRunId(s.connections.redis)).toBe(await readRunId(replica.redis)));
  await eventually(async () => {
    expect(await s.client.ask('buy', id, 'too-early')).toMatchObject({ http: 503, code: 'unavailable' });
  }, READY_MS);
  await Promise.all(workers.map(worker => worker.revive()));

  await becomes(id, 'placed', 'pending_payment');
  expect(await s.client.ask('order-status', id, 'placed')).toMatchObject({ claimId: placed.claimId });
  await becomes(id, 'restored', 'pending_payment', restored.receipt);
  // All free units are sold, including the unit of the lost claim. Then the claim can't be restored any more.
  const rest = Array.from({ length: UNITS - 3 }, (_, i) => `rest-${i + 1}`);
  const sold = [early, placed, restored, ...(await Promise.all(rest.map(buyerId => buy(id, buyerId))))];
  expect(sold.map(({ unit }) => unit).sort()).toEqual(Array.from({ length: UNITS }, (_, i) => i + 1));
  await becomes(id, 'lost', 'rejected', lost.receipt);
  expect(await s.client.ask('order-status', id, 'lost', { receipt: lost.receipt })).toMatchObject({
    claimId: lost.claimId,
    reason: 'lost',
  });
  for (const { buyerId } of sold) {
    await becomes(id, buyerId, 'pending_payment');
    await s.client.ask('cancel', id, buyerId);
  }
  await s.expectAllKept({ redisLostData: true });
}, 120_000);

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { claim } from '#core/redis/claims/claim.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import { until } from '#stack/processes/until.js';
import { startRedis } from '#stack/stores/redis-server.js';
import type { Figures } from '../measure/round.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';
import { createWholeSale, forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';
import { createIdleSales } from './idle-sales.js';

const WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 5;

/**
 * Asks how long a sale that sells is shut after a restart of Redis, beside a number of sales in which nothing happens.
 *
 * @param beforeEnd remembers to stop the Redis that is started
 * @returns ms from the moment at which Redis serves: until a buyer wins, and until every sale is open
 */
export async function restart(rig: Rig, sales: number, beforeEnd: BeforeEnd): Promise<Figures> {
  await forgetAll(rig);
  const saleId = await createWholeSale(rig, 100);
  await createIdleSales(rig, sales);
  const worker = await startWorker(rig);
  try {
    await awaited(() => isRegistryWhole(rig.redis), 'open sales');
    await rig.stores.redis.kill();
    const { folder, redis } = rig.stores;
    const again = await startRedis({ dir: join(folder, 'redis'), port: redis.port });
    rig.stores.redis = again;
    beforeEnd(() => again.stop());
    await awaited(async () => (await rig.redis.ping().catch(() => '')) === 'PONG', 'Redis');
    const servesAtMs = performance.now();
    await awaited(() => wins(rig, saleId), 'a unit');
    const sellsMs = performance.now() - servesAtMs;
    await awaited(() => isRegistryWhole(rig.redis), 'open sales');
    return { sellsMs, allOpenMs: performance.now() - servesAtMs };
  } finally {
    await worker.stop();
  }
}

async function wins({ redis }: Rig, saleId: string): Promise<boolean> {
  const [outcome] = await claim(redis, saleId, [{ buyerId: 'first', claimId: randomUUID() }]);
  return outcome?.kind === 'won' || outcome?.kind === 'held';
}

async function awaited(holds: () => Promise<boolean>, what: string): Promise<void> {
  if (!(await until(holds, WITHIN_MS, LOOK_EVERY_MS))) throw new Error(`no ${what} within ${WITHIN_MS / 1_000} s`);
}

import { randomUUID } from 'node:crypto';
import { claim } from '#core/redis/claims/claim.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import type { Figures } from '../measure/round.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';
import { createWholeSale, forgetAll } from '../rig/sale.js';
import { startWorker } from '../rig/server.js';
import { createIdleSales } from './idle-sales.js';
import { awaited, restartRedis } from './restarted-redis.js';

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
    await restartRedis(rig, beforeEnd);
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

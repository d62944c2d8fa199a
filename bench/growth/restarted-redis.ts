import { join } from 'node:path';
import { until } from '#stack/processes/until.js';
import { startRedis } from '#stack/stores/redis-server.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';

const WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 5;

/**
 * Waits for a fact.
 *
 * @throws Error that names it when it does not hold within 5 minutes
 */
export async function awaited(holds: () => Promise<boolean>, what: string): Promise<void> {
  if (!(await until(holds, WITHIN_MS, LOOK_EVERY_MS))) throw new Error(`no ${what} within ${WITHIN_MS / 1_000} s`);
}

/** Kills Redis, starts it again with its data, and waits until it serves. */
export async function restartRedis(rig: Rig, beforeEnd: BeforeEnd): Promise<void> {
  await rig.stores.redis.kill();
  const { folder, redis } = rig.stores;
  const again = await startRedis({ dir: join(folder, 'redis'), port: redis.port });
  rig.stores.redis = again;
  beforeEnd(() => again.stop());
  await awaited(async () => (await rig.redis.ping().catch(() => '')) === 'PONG', 'Redis');
}

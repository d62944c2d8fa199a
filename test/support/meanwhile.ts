import type { ScriptName } from '#core/redis/scripts.js';
import { wrapRedis } from './redis/wrap-redis.js';
import type { TestStores } from './stores/stores.js';

/**
 * Wraps stores so that other work happens before each call of a script, or of the command `hset`, `del`, `hscan`, `sadd`,
 * `scard` or `srem`. A process that
 * is held up at that moment would meet the same.
 *
 * @returns the stores for the process that is held up
 */
export function beforeScript(
  stores: TestStores,
  name: ScriptName | 'hset' | 'del' | 'hscan' | 'sadd' | 'scard' | 'srem',
  meanwhile: () => Promise<unknown>,
): TestStores {
  const redis = wrapRedis(stores.redis, name, command => async (...args) => {
    await meanwhile();
    return command(...args);
  });
  return { ...stores, redis };
}

import type { Redis } from '#core/redis/connection.js';
import type { ScriptName } from '#core/redis/scripts.js';
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
  const redis = new Proxy(stores.redis, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (property !== name) return value.bind(target);
      return async (...args: unknown[]) => {
        await meanwhile();
        return value.apply(target, args);
      };
    },
  }) as Redis;
  return { ...stores, redis };
}

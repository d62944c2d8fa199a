import type { Redis } from '#core/redis/connection.js';
import type { ScriptName } from '#core/redis/scripts.js';
import type { TestStores } from './stores/stores.js';

/**
 * Lets something else happen just before a script is called, each time: what a process that is held up there would meet.
 *
 * @returns the same stores, to be given to whom is held up
 */
export function beforeScript(stores: TestStores, name: ScriptName, meanwhile: () => Promise<unknown>): TestStores {
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

import type { Redis } from '#core/redis/connection.js';

/** A command of Redis or a script, as a connection has it. */
export type Command = (...args: unknown[]) => Promise<unknown>;

/**
 * Wraps one command of a connection. The wrapped connection is the server of all sales, as the connection is.
 *
 * @param name the command or the script
 * @param wrap receives the command and returns what is called instead of it
 */
export function wrapRedis(redis: Redis, name: string, wrap: (command: Command) => Command): Redis {
  const wrapped: Redis = new Proxy(redis, {
    get(target, property) {
      if (property === 'of') return () => wrapped;
      if (property === 'shards') return [wrapped];
      const value = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return property === name ? wrap(value.bind(target)) : value.bind(target);
    },
  });
  return wrapped;
}

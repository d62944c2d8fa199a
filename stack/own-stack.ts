import { announceStack, withdrawStack } from '#core/process/running-stack.js';
import type { Lifetime } from './processes/lifetime.js';
import { type Stack, type StackOptions, startStack } from './stack.js';

/** A stack that people use has one address of its API, and a console. */
export type OwnStackOptions = Omit<StackOptions, 'ports' | 'adminPort'> & { port: number; adminPort: number };

/**
 * Starts the stack of a program that people use: it ends with the program, and the commands beside it find it.
 *
 * @param options what {@link startStack} needs
 * @param lifetime the program's
 * @returns the stack, announced
 * @throws what {@link startStack} throws
 */
export async function startOwnStack({ port, ...options }: OwnStackOptions, lifetime: Lifetime): Promise<Stack> {
  const starting = startStack({ ...options, ports: [port] });
  // Interrupted meanwhile, we stop what is started, before its stores are.
  lifetime.beforeEnd(() => starting.then(started => started.stop()).catch(() => undefined));
  const stack = await starting;
  announceStack({
    REDIS_URL: options.redisUrl,
    DATABASE_URL: options.databaseUrl,
    ...options.secrets,
    PORT: `${port}`,
    ADMIN_PORT: `${options.adminPort}`,
  });
  lifetime.beforeEnd(withdrawStack);
  return stack;
}

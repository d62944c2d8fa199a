import { announceStack, withdrawStack } from '#core/process/running-stack.js';
import type { Lifetime } from './processes/lifetime.js';
import { type Stack, type StackOptions, startStack } from './stack.js';

/** The options of {@link startStack} for a stack that people use: one API at a known port, and a console. */
export type AnnouncedStackOptions = Omit<StackOptions, 'ports' | 'adminPort'> & { port: number; adminPort: number };

/**
 * Starts the stack of `npm run demo` or `npm start`. The stack ends with the program, and commands in the same clone find it.
 *
 * @param lifetime of the program
 * @throws the errors of {@link startStack}
 */
export async function startAnnouncedStack(
  { port, ...options }: AnnouncedStackOptions,
  lifetime: Lifetime,
): Promise<Stack> {
  const starting = startStack({ ...options, ports: [port] });
  // An interrupted start is stopped, too, and before its stores are.
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

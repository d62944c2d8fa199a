import { ConfigError } from '#core/process/config.js';
import { onShutdown } from '#core/process/shutdown.js';
import { refuseUnfit } from '#core/redis/server/fitness.js';
import { createContext } from './context.js';
import { startServer, stopServer } from './server.js';

/**
 * The time-out of the admin's shutdown, in ms. It is enough for an audit in flight, which compares one sale in Redis
 * and Postgres.
 */
const SHUTDOWN_MS = 10_000;

try {
  const ctx = await createContext();
  // Redis may be down: the console's pages then say so. An unfit one ends the process.
  refuseUnfit(ctx.redis).catch(error => error instanceof ConfigError && fail(error));
  const { server, port } = await startServer(ctx);
  const steps = [
    { name: 'server', run: () => stopServer(server) },
    { name: 'stores', run: () => ctx.close() },
  ];
  onShutdown(steps, SHUTDOWN_MS, ctx.log);
  ctx.log.info({ port, host: ctx.config.ADMIN_HOST }, 'listening');
} catch (error) {
  fail(error);
}

function fail(error: unknown): void {
  process.stderr.write(`admin: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

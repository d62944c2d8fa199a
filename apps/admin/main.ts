import { waitForFitDatabase } from '#core/postgres/fitness.js';
import { ConfigError } from '#core/process/config.js';
import { onShutdown, type ShutdownStep } from '#core/process/shutdown.js';
import { waitForFitRedis } from '#core/redis/server/fitness.js';
import { createContext, readSettings } from './context.js';
import { startServer, stopServer } from './server.js';

/**
 * The time-out of the admin's shutdown, in ms. It is enough for an audit in flight, which compares one sale in Redis
 * and Postgres.
 */
const SHUTDOWN_MS = 10_000;

try {
  const settings = readSettings();
  const steps: ShutdownStep[] = [];
  onShutdown(steps, SHUTDOWN_MS, settings.log);
  const ctx = await createContext(settings);
  // Both stores may be down: the console's pages then say so. An unfit one ends the process.
  waitForFitRedis(ctx.redis).catch(error => error instanceof ConfigError && fail(error));
  waitForFitDatabase(ctx.db, () => undefined).catch(error => error instanceof ConfigError && fail(error));
  const { server, port } = await startServer(ctx);
  steps.push({ name: 'server', run: () => stopServer(server) }, { name: 'stores', run: () => ctx.close() });
  ctx.log.info({ port, host: ctx.config.ADMIN_HOST }, 'listening');
} catch (error) {
  fail(error);
}

function fail(error: unknown): void {
  process.stderr.write(`admin: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

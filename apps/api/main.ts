import { ConfigError, readConfig } from '#core/process/config.js';
import { createLogger } from '#core/process/logger.js';
import { serveMetrics } from '#core/process/metrics.js';
import { reportTo } from '#core/process/reporting.js';
import { onShutdown, type ShutdownStep } from '#core/process/shutdown.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { waitForFitRedis } from '#core/redis/server/fitness.js';
import { API_SETTINGS, closeContext, createContext } from './context.js';
import { drain, startServer } from './server.js';

/**
 * Time limits of a shutdown, in ms. An answer in flight takes at most 2 s. A client that is still sending after 5 s is
 * cut off, and after 7 s the process exits.
 */
const DRAIN_MS = 5_000;
const SHUTDOWN_MS = 7_000;

/**
 * How long a start waits for Redis before it opens the port, in ms. A connection takes some ms, and without Redis /healthz
 * must answer, too.
 */
const CONNECT_MS = 2_000;

try {
  const config = readConfig(API_SETTINGS);
  const log = createLogger('api', config.LOG_LEVEL);
  reportTo(log);
  const steps: ShutdownStep[] = [];
  onShutdown(steps, SHUTDOWN_MS, log);
  const ctx = createContext(config);
  // Redis may start later than this process, and buyers get 503 until then. Redis is checked once it is connected.
  waitForFitRedis(ctx.redis).catch(refuse);
  // A proxy sends clicks as soon as the port is open. Without Redis this process would refuse clicks that another API accepts.
  const connections = [ctx.redis, ctx.queueRedis].flatMap(({ shards }) => shards);
  const connected = connections.map(redis => waitUntilReady(redis, CONNECT_MS));
  await Promise.allSettled(connected);
  const server = await startServer(ctx);
  steps.push({ name: 'server', run: () => drain(ctx, server, DRAIN_MS) });
  const closeMetrics = await serveMetrics(config.METRICS_PORT, config.METRICS_HOST);
  steps.push({ name: 'metrics', run: closeMetrics }, { name: 'stores', run: () => closeContext(ctx) });
  log.info({ port: server.port, host: config.HOST }, 'listening');
} catch (error) {
  fail(error);
}

/**
 * Ends the process if Redis can't hold a sale. After a lost connection that is unknown, and /readyz keeps checking it.
 */
function refuse(error: unknown): void {
  if (error instanceof ConfigError) fail(error);
}

function fail(error: unknown): void {
  process.stderr.write(`api: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

import { ConfigError, readConfig } from '#core/process/config.js';
import { createLogger } from '#core/process/logger.js';
import { serveMetrics } from '#core/process/metrics.js';
import { onShutdown } from '#core/process/shutdown.js';
import { reportTo } from '#core/process/telemetry.js';
import { refuseEviction, waitUntilReady } from '#core/redis/connection.js';
import { API_SETTINGS, closeContext, createContext } from './context.js';
import { drain, startServer } from './server.js';

/** An answer under way takes 2 s at most; whoever is still sending after 5 s is cut off, and after 7 s nothing is waited for. */
const DRAIN_MS = 5_000;
const SHUTDOWN_MS = 7_000;

/** How long a start waits for Redis, in ms. It takes some ms, unless Redis is away: then /healthz must answer anyway. */
const CONNECT_MS = 2_000;

try {
  const config = readConfig(API_SETTINGS);
  const log = createLogger('api', config.LOG_LEVEL);
  reportTo(log);
  const ctx = createContext(config);
  // Redis may come later than we do; then buyers have got nothing but 503 yet.
  ctx.redis.once('ready', () => refuseEviction(ctx.redis).catch(refuse));
  // A proxy sends buyers as soon as the port is open: one that listens too early refuses clicks that another API would take.
  const connected = [ctx.redis, ctx.queueRedis].map(redis => waitUntilReady(redis, CONNECT_MS));
  await Promise.all(connected).catch(() => undefined);
  const server = await startServer(ctx);
  const closeMetrics = await serveMetrics(config.METRICS_PORT, config.METRICS_HOST);
  const steps = [
    { name: 'server', run: () => drain(ctx, server, DRAIN_MS) },
    { name: 'metrics', run: closeMetrics },
    { name: 'stores', run: () => closeContext(ctx) },
  ];
  onShutdown(steps, SHUTDOWN_MS, log);
  log.info({ port: server.port, host: config.HOST }, 'listening');
} catch (error) {
  fail(error);
}

/** A Redis that went away again says nothing of its policy; /readyz goes on asking. */
function refuse(error: unknown): void {
  if (error instanceof ConfigError) fail(error);
}

function fail(error: unknown): void {
  process.stderr.write(`api: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

import { ping } from '#core/postgres/database.js';
import { onShutdown, type ShutdownStep } from '#core/process/shutdown.js';
import { createContext, readSettings } from './context.js';
import { startJobs } from './jobs.js';
import { startMaintenance } from './maintenance.js';
import { Rounds } from './rounds.js';
import { startWatchdog } from './watchdog.js';

/**
 * The time-out of the worker's shutdown, in ms. It is enough for a batch of orders in flight, and supervisors kill a
 * process later.
 */
const SHUTDOWN_DEADLINE_MS = 10_000;

try {
  const { config, log } = readSettings();
  const steps: ShutdownStep[] = [];
  onShutdown(steps, SHUTDOWN_DEADLINE_MS, log);
  const ctx = await createContext(config, log);
  const rounds = new Rounds();
  const maintenance = startMaintenance(ctx, rounds);
  const workers = startJobs(ctx);
  const watchdog = startWatchdog({
    overdue: () => rounds.overdue(),
    storesAnswer: () => Promise.all([...ctx.redis.shards.map(server => server.time()), ping(ctx.db)]),
    end: hanging => {
      ctx.log.fatal(
        { hanging },
        'a round hangs although both stores answer: exiting, so that the supervisor starts a new process',
      );
      process.exit(1);
    },
  });
  steps.push(
    { name: 'watchdog', run: () => watchdog.stop() },
    { name: 'maintenance', run: () => maintenance.stop() },
    { name: 'jobs', run: () => Promise.all(workers.map(worker => worker.close())) },
    { name: 'stores', run: () => ctx.close() },
  );
  ctx.log.info('worker ready');
} catch (error) {
  process.stderr.write(`worker: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

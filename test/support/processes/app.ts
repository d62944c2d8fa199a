import { expect } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { type GuardedProcess, startGuarded } from '#stack/processes/guarded-process.js';
import { eventually } from '../eventually.js';

/** Longest orderly end, in ms. */
const GRACE_MS = 30_000;

/** A compiled app as a process, with all that it has printed. */
export interface App {
  process: GuardedProcess;
  said(): string;
  untilSaid(text: RegExp): Promise<void>;
}

/**
 * Starts an app that prints its log.
 *
 * @param settings the settings of the process, which inherits none
 */
export async function startApp(name: 'api' | 'worker' | 'admin', settings: Record<string, string>): Promise<App> {
  const process_ = await startGuarded({
    command: process.execPath,
    args: [`dist/apps/${name}/main.js`],
    cwd: checkout,
    environment: { PATH: String(process.env.PATH), METRICS_PORT: '0', ...settings },
    output: 'pipe',
    stopSignal: 'SIGTERM',
    graceMs: GRACE_MS,
  });
  let said = '';
  for (const stream of [process_.stdout, process_.stderr]) {
    stream?.on('data', chunk => {
      said += chunk;
    });
  }
  return {
    process: process_,
    said: () => said,
    untilSaid: text => eventually(() => expect(said).toMatch(text)),
  };
}

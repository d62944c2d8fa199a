import type { Logger } from './logger.js';
import { createQuietLog, type QuietLog } from './quiet-log.js';

let log: Logger | undefined;
let quietLog: QuietLog = () => undefined;

/** Sets the logger for rare facts. Before this call, facts are only counted in metrics. */
export function reportTo(logger: Logger): void {
  log = logger;
  quietLog = createQuietLog(logger);
}

/** Logs a rare fact. */
export function logFact(level: 'debug' | 'info' | 'warn' | 'error', facts: object, text: string): void {
  log?.[level](facts, text);
}

/** Logs a fact that may repeat many times a second, such as the failures of an outage. */
export const warnRarely: QuietLog = (text, facts) => quietLog(text, facts);

/** Makes a report harmless: a report that fails undoes nothing of what it reports. */
export function report<A extends unknown[]>(tell: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      tell(...args);
    } catch {
      // Reporting itself failed, and there is nothing left to report to. The reported work must not fail because of
      // that.
    }
  };
}

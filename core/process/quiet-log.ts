import { SECOND_MS } from '../rules/clock.js';
import type { Logger } from './logger.js';

/** Writes a warning, unless the same message was written less than a second ago. */
export type QuietLog = (message: string, fields: object) => void;

/** Shortest interval between two log lines with the same message, in ms, so that a repeated fact cannot fill the disk. */
const INTERVAL_MS = SECOND_MS;

/**
 * Creates a log for facts that somebody outside can repeat as often as they like, such as bad input or an outage. Each
 * message is written at most once a second. The next line has the number of warnings in between as `notLogged`.
 *
 * @returns writes a warning; messages must be few fixed texts, as each one is remembered, and what differs from one
 *   warning to the next belongs into the fields
 */
export function createQuietLog(log: Logger): QuietLog {
  const written = new Map<string, { atMs: number; notLogged: number }>();
  return (message, fields) => {
    const nowMs = performance.now();
    const last = written.get(message);
    if (last && nowMs - last.atMs < INTERVAL_MS) {
      last.notLogged += 1;
      return;
    }
    log.warn(last?.notLogged ? { ...fields, notLogged: last.notLogged } : fields, message);
    written.set(message, { atMs: nowMs, notLogged: 0 });
  };
}

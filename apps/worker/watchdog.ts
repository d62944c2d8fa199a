import { SECOND_MS } from '#core/rules/clock.js';

/** How often the watchdog checks whether work of its process hangs, in ms. */
const CHECK_EVERY_MS = 10 * SECOND_MS;

/**
 * The watchdog ends its process after this many checks in a row that found hanging work. After one check, the work may
 * only have waited for Redis or Postgres, which just came back.
 */
const CHECKS = 3;

/** The functions by which the watchdog finds hanging work and ends its process. */
export interface Watched {
  /** Returns the names of the tasks that hang. */
  overdue(): string[];
  /**
   * Rejects when Redis or Postgres doesn't answer. The process is then not at fault, and a new one would do no better.
   */
  storesAnswer(): Promise<unknown>;
  /** Ends the process, so that its supervisor starts a new one. */
  end(hanging: string[]): void;
}

/**
 * Starts the watchdog, which ends a process whose work hangs in spite of all deadlines, although Redis and Postgres
 * answer. Work that merely fails repeatedly is no reason, as it would fail in a new process too.
 *
 * @param everyMs how often the watchdog checks, in ms
 * @returns `stop()` ends the watchdog
 */
export function startWatchdog(watched: Watched, everyMs = CHECK_EVERY_MS): { stop(): void } {
  let found = 0;
  const check = async () => {
    const hanging = watched.overdue();
    const hangs = hanging.length > 0 && (await answers(watched));
    found = hangs ? found + 1 : 0;
    if (found >= CHECKS) watched.end(hanging);
  };
  const timer = setInterval(() => void check(), everyMs);
  return { stop: () => clearInterval(timer) };
}

function answers({ storesAnswer }: Watched): Promise<boolean> {
  return storesAnswer().then(
    () => true,
    () => false,
  );
}

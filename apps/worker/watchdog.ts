import { SECOND_MS } from '#core/rules/clock.js';

/** How often the watchdog checks, in ms. */
const CHECK_EVERY_MS = 10 * SECOND_MS;

/** A process ends after this many bad checks in a row. After one, the work may only have waited for a store that is back. */
const CHECKS = 3;

/** The facts that the watchdog checks, and what it does. */
export interface Watched {
  /** Returns the names of the work that hangs. */
  overdue(): string[];
  /** Rejects when a store doesn't answer. Then the process is not at fault, and a new one would do no better. */
  storesAnswer(): Promise<unknown>;
  /** Ends the process, so that its supervisor starts a new one. */
  end(hanging: string[]): void;
}

/**
 * Starts the watchdog, which ends a process whose work hangs in spite of all deadlines. Work that merely fails repeatedly is
 * no reason, as it would fail in a new process too.
 *
 * @param everyMs how often it checks, in ms
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

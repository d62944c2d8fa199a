import { SECOND_MS } from '#core/rules/clock.js';

/** How often it looks, in ms. */
const LOOK_EVERY_MS = 10 * SECOND_MS;

/** So many looks in a row must find the same: a store that came back a moment ago lets go on what waited for it. */
const LOOKS = 3;

/** What the watchdog goes by. */
export interface Watched {
  /** @returns what should have ended by now */
  overdue(): string[];
  /** @throws when a store doesn't answer: that is not this process's fault, and a fresh one couldn't do better */
  storesAnswer(): Promise<unknown>;
  /** Ends the process, for its supervisor to start a fresh one. */
  end(hanging: string[]): void;
}

/**
 * Ends a process in which something hangs that no deadline knows of. Work that merely fails again and again is no reason: it would
 * fail in a fresh process as well.
 *
 * @param watched what it goes by
 * @param everyMs how often it looks, in ms
 * @returns `stop()` ends the watch
 */
export function startWatchdog(watched: Watched, everyMs = LOOK_EVERY_MS): { stop(): void } {
  let found = 0;
  const look = async () => {
    const hanging = watched.overdue();
    const hangs = hanging.length > 0 && (await answers(watched));
    found = hangs ? found + 1 : 0;
    if (found >= LOOKS) watched.end(hanging);
  };
  const timer = setInterval(() => void look(), everyMs);
  return { stop: () => clearInterval(timer) };
}

function answers({ storesAnswer }: Watched): Promise<boolean> {
  return storesAnswer().then(
    () => true,
    () => false,
  );
}

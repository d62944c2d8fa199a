import type { ChildProcess } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

/** A runner that has not touched its note for this long stands still, in ms. Loading the sources blocks it for some seconds. */
const STILL_MS = 12_000;

/** A file of tests that is not loaded after this time never will be, in ms: something at the top of a module never ends. */
const LOAD_MS = 16_000;

/** Between two looks at the note, in ms. */
const LOOK_MS = 500;

/** The files that a runner writes. */
export interface Signs {
  /** Is touched again and again, from the moment on when the environment of the tests is there. */
  note: string;
  /** Is there once the tests are loaded. */
  events: string;
}

/** A watch over a runner. */
export interface Watch {
  /** Tells whether the runner was killed because it stood still. */
  wasStill(): boolean;
  stop(): void;
}

/** Kills a runner that doesn't touch its note any more, or never comes to its first test. */
export function killWhenStill(jest: ChildProcess, { note, events }: Signs): Watch {
  let still = false;
  let begunAtMs: number | undefined;
  const touchedAtMs = (): number => statSync(note, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const beforeMs = touchedAtMs();
  const look = setInterval(() => {
    const touchedMs = touchedAtMs();
    if (touchedMs > beforeMs) begunAtMs ??= touchedMs;
    // Before, jest itself may start a store, and takes as long as that needs.
    if (begunAtMs === undefined) return;
    const nowMs = Date.now();
    const isLoading = !existsSync(events);
    if (nowMs - touchedMs < STILL_MS && !(isLoading && nowMs - begunAtMs > LOAD_MS)) return;
    still = true;
    jest.kill('SIGKILL');
  }, LOOK_MS);
  return { wasStill: () => still, stop: () => clearInterval(look) };
}

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout } from './checkout.js';

// `npm start` and `npm run demo` run private stores on free ports with generated secrets. They write a note into the
// clone, so that the commands beside them need no environment variables. The note contains secrets: its mode lets only
// the owner read it.

const NAMES = ['REDIS_URL', 'DATABASE_URL', 'AUTH_SECRET', 'ADMIN_TOKEN', 'PORT', 'ADMIN_PORT'] as const;

/** The settings that reach a running stack, by the name of the environment variable. */
export type StackSettings = Record<(typeof NAMES)[number], string>;

/** Another store in the environment means another stack than the one of the note. */
const STORES = ['REDIS_URL', 'DATABASE_URL'] as const;

const NOTICE = join(checkout, '.data', 'running.json');

/**
 * Writes the note of the stack that this process runs. Of two stacks in one clone, the later one is found.
 *
 * @returns false when the clone is not writable: then the commands need environment variables
 */
export function announceStack(settings: StackSettings): boolean {
  const unfinished = `${NOTICE}.${process.pid}`;
  try {
    mkdirSync(dirname(NOTICE), { recursive: true });
    // Written under another name and renamed, so that no reader sees half of it or a mode that others can read.
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, JSON.stringify({ ...settings, pid: process.pid }), { mode: 0o600 });
    renameSync(unfinished, NOTICE);
    return true;
  } catch {
    return false;
  }
}

/** Removes the note of {@link announceStack}, unless another stack has replaced it since. Idempotent. */
export function withdrawStack(): void {
  if (readNotice()?.pid === process.pid) rmSync(NOTICE, { force: true });
}

/**
 * Finds the stack that runs in this clone.
 *
 * @param env the environment; a store named there that is not the stack's means another stack
 * @returns the settings of the stack, or none
 */
export function readRunningStack(env: NodeJS.ProcessEnv): Partial<StackSettings> {
  const notice = readNotice();
  if (!notice || !isAlive(notice.pid)) return {};
  const { pid: _, ...settings } = notice;
  return STORES.some(name => env[name] && env[name] !== settings[name]) ? {} : settings;
}

function readNotice(): (StackSettings & { pid: number }) | undefined {
  try {
    const notice = JSON.parse(readFileSync(NOTICE, 'utf8'));
    const whole = Number.isInteger(notice.pid) && NAMES.every(name => typeof notice[name] === 'string');
    return whole ? notice : undefined;
  } catch {
    // There is no note, or it belongs to somebody else.
    return undefined;
  }
}

/** A stack that was killed leaves its note behind. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

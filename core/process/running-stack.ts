import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout } from './checkout.js';

// `npm start` and `npm run demo` run private stores on free ports with generated secrets. They write a note with these
// settings into the clone, so that other commands need no environment variables. The note contains secrets, so its mode
// lets only the owner read it.

const NAMES = ['REDIS_URL', 'DATABASE_URL', 'AUTH_SECRET', 'ADMIN_TOKEN', 'PORT', 'ADMIN_PORT'] as const;

/**
 * The settings by which commands reach the stack that `npm start` or `npm run demo` runs, by the name of the
 * environment variable.
 */
export type StackSettings = Record<(typeof NAMES)[number], string>;

/**
 * The settings that identify a stack. If the environment names another Redis or Postgres, the note of the running stack
 * does not count.
 */
const STORES = ['REDIS_URL', 'DATABASE_URL'] as const;

const NOTICE = join(checkout, '.data', 'running.json');

/**
 * Writes the note by which other commands find the stack that this process runs. Of two stacks in one clone, commands
 * find the later one.
 *
 * @returns false when the clone is not writable: then other commands need environment variables
 */
export function announceStack(settings: StackSettings): boolean {
  const unfinished = `${NOTICE}.${process.pid}`;
  try {
    mkdirSync(dirname(NOTICE), { recursive: true });
    // The note is written under another name and then renamed. So no reader sees half a note, or one that other users
    // may read.
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, JSON.stringify({ ...settings, pid: process.pid }), { mode: 0o600 });
    renameSync(unfinished, NOTICE);
    return true;
  } catch {
    return false;
  }
}

/** Removes the note that {@link announceStack} wrote, unless another stack has replaced it since. Idempotent. */
export function withdrawStack(): void {
  if (readNotice()?.pid === process.pid) rmSync(NOTICE, { force: true });
}

/**
 * Finds the stack that `npm start` or `npm run demo` runs in this clone, by its note.
 *
 * @param env the environment; if it names another Redis or Postgres, the stack does not count
 * @returns the settings of the stack; none when no stack is found
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
    // There is no note of a running stack, or it belongs to another user.
    return undefined;
  }
}

/** Tells whether the process that wrote a note still runs: a stack that was killed leaves its note behind. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

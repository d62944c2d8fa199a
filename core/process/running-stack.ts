import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout } from './checkout.js';

// `npm start` and `npm run demo` run private stores on free ports, with secrets of their own. They leave word of them in the
// clone, so that the commands beside them need nothing exported. It holds secrets: only its owner may read it.

const NAMES = ['REDIS_URL', 'DATABASE_URL', 'AUTH_SECRET', 'ADMIN_TOKEN', 'PORT', 'ADMIN_PORT'] as const;

/** What a running stack is reached with, by the names of the environment variables. */
export type StackSettings = Record<(typeof NAMES)[number], string>;

/** A different store in the environment means another stack than the one that runs here. */
const STORES = ['REDIS_URL', 'DATABASE_URL'] as const;

const NOTICE = join(checkout, '.data', 'running.json');

/**
 * Leaves word of the stack that this process runs. Of two stacks in one clone, the one that started last is found.
 *
 * @param settings what it is reached with
 * @returns false when the clone can't be written to: then the commands need their environment variables
 */
export function announceStack(settings: StackSettings): boolean {
  const unfinished = `${NOTICE}.${process.pid}`;
  try {
    mkdirSync(dirname(NOTICE), { recursive: true });
    // Under another name first: whoever reads it sees all of it, and never with a mode that others can read.
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, JSON.stringify({ ...settings, pid: process.pid }), { mode: 0o600 });
    renameSync(unfinished, NOTICE);
    return true;
  } catch {
    return false;
  }
}

/** Takes back what {@link announceStack} left, unless another stack has announced itself since. Safe to repeat. */
export function withdrawStack(): void {
  if (readNotice()?.pid === process.pid) rmSync(NOTICE, { force: true });
}

/**
 * Finds the stack that runs from this clone.
 *
 * @param env what is set in the environment: when it names another store than the stack has, the stack isn't meant
 * @returns the stack's settings; none when no stack runs or it isn't meant
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
    // None was left, or it is somebody else's.
    return undefined;
  }
}

/** A stack that was killed could not take its word back. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// The lock of a set-up. Two commands that start at the same moment would otherwise both write into node_modules.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { textOf } from './fingerprint.mjs';

const POLL_MS = 100;
/** A set-up takes 20 s, and a few minutes with a slow registry. After a quarter of an hour something hangs. */
const WAIT_DEADLINE_MS = 900_000;
/** Whether a holder on another machine or in another container lives can't be checked, so its lock expires. */
const FOREIGN_STALE_MS = 900_000;
/** The file is created and then written, microseconds apart. A file that stays empty has lost its holder. */
const EMPTY_STALE_MS = 5_000;

/** Returns when a process was born, to tell it from a later one with the same pid; 'unknown' without /proc. */
function bornAt(pid) {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
}

function isRunning({ pid, born }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return bornAt(pid) === born;
}

function isStale(file, line) {
  const ageMs = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (line === '') return ageMs > EMPTY_STALE_MS;
  const holder = JSON.parse(line);
  return holder.host === hostname() ? !isRunning(holder) : ageMs > FOREIGN_STALE_MS;
}

function take(file, line) {
  try {
    writeFileSync(file, line, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock. A rename lets only one process take it away, which puts it back if it is a newer lock. */
function clearStale(file, line) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== line) linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
}

/**
 * Waits for the lock of a clone.
 * @param {string} root the clone
 * @returns {Promise<() => void>} gives the lock back
 * @throws when another process holds the lock for a quarter of an hour
 */
export async function takeSetupLock(root) {
  const folder = join(root, '.data');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'setup.lock');
  const mine = JSON.stringify({ host: hostname(), pid: process.pid, born: bornAt(process.pid) });
  const deadline = Date.now() + WAIT_DEADLINE_MS;
  let announced = false;
  while (!take(file, mine)) {
    const line = textOf(file);
    if (line !== undefined && isStale(file, line)) {
      clearStale(file, line);
      continue;
    }
    if (Date.now() > deadline)
      throw new Error(`another set-up holds ${file} (${line}): remove the file if no set-up runs`);
    if (!announced) process.stderr.write('Another command is setting up this folder; waiting for it.\n');
    announced = true;
    await pause(POLL_MS);
  }
  return () => rmSync(file, { force: true });
}

// One set-up at a time on one clone: two commands started at the same moment would write into each other's node_modules.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { textOf } from './fingerprint.mjs';

const POLL_MS = 100;
/** A set-up takes 20 s with a slow registry a few minutes; waiting longer than this means that something hangs. */
const WAIT_DEADLINE_MS = 900_000;
/** A holder on another machine or in another container can't be asked whether it lives. */
const FOREIGN_STALE_MS = 900_000;
/** Creating the file and writing its line are two steps, microseconds apart. */
const EMPTY_STALE_MS = 5_000;

/** When a process was born, to tell it from a later one with the same number; 'unknown' where there is no /proc. */
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

/** Renaming lets only one of several waiters remove it; if that one caught a newer lock by then, it puts it back. */
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
 * Waits for the lock of this clone.
 * @param {string} root the clone
 * @returns {Promise<() => void>} gives it back
 * @throws when somebody holds it for a quarter of an hour
 */
export async function setupLock(root) {
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
    if (Date.now() > deadline) throw new Error(`another set-up holds ${file} (${line}): remove it if that is not so`);
    if (!announced) process.stderr.write('Another command is setting up this folder; waiting for it.\n');
    announced = true;
    await pause(POLL_MS);
  }
  return () => rmSync(file, { force: true });
}

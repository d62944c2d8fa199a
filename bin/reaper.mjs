// Once its parent is gone, the reaper ends the processes and removes the folders that the parent leaves behind.
//
// Its standard input is a pipe that only the parent writes to, one JSON object a line:
//   {"do":"guard","pid":1,"signal":"SIGINT","graceMs":5000}  end this process when the parent is gone
//   {"do":"forget","pid":1}                                  the process has ended by itself
//   {"do":"remove","folder":"/tmp/x"}                        remove this folder when the parent is gone
//   {"do":"keep","folder":"/tmp/x"}                          the folder is gone already
// The kernel closes the pipe when the parent ends, also after SIGKILL. Lines that were written before can still be read.
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;
const KILL_GRACE_MS = 2_000;

/** pid → { signal, graceMs, born } */
const guarded = new Map();
const folders = new Set();

/**
 * Returns when a process was born, so that a later process with the same pid is not mistaken for ours.
 * @returns {string | undefined} undefined when the process has ended; a zombie has ended, too
 */
function bornAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may contain anything, so fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return process.platform === 'linux' ? undefined : bornSomewhereElse(pid);
  }
}

/** Tells only whether the process exists: without /proc there is no time of birth. */
function bornSomewhereElse(pid) {
  try {
    process.kill(pid, 0);
    return 'unknown';
  } catch {
    return undefined;
  }
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended in the meantime.
  }
}

async function endedWithin(pid, born, deadlineMs) {
  const until = Date.now() + deadlineMs;
  while (bornAt(pid) === born) {
    if (Date.now() > until) return false;
    await pause(POLL_MS);
  }
  return true;
}

async function end([pid, { signal, graceMs, born }]) {
  if (born === undefined || bornAt(pid) !== born) return;
  send(pid, signal);
  if (await endedWithin(pid, born, graceMs)) return;
  send(pid, 'SIGKILL');
  await endedWithin(pid, born, KILL_GRACE_MS);
}

const actions = {
  guard: ({ pid, signal, graceMs }) => guarded.set(pid, { signal, graceMs, born: bornAt(pid) }),
  forget: ({ pid }) => guarded.delete(pid),
  remove: ({ folder }) => folders.add(folder),
  keep: ({ folder }) => folders.delete(folder),
};

// Ctrl-C and a closed terminal are meant for the parent. The reaper ends when its work is done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

for await (const line of createInterface({ input: process.stdin })) {
  const instruction = JSON.parse(line);
  actions[instruction.do](instruction);
}
await Promise.all([...guarded].map(end));
for (const folder of folders) {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

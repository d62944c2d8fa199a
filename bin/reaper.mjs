// The last one to leave: it ends what its parent started and removes what its parent created, whatever ended the parent.
//
// Its standard input is a pipe that only the parent writes to. One JSON object a line:
//   {"do":"guard","pid":1,"signal":"SIGINT","graceMs":5000}  end this process when the parent is gone
//   {"do":"release","pid":1}                                it has ended by itself
//   {"do":"remove","folder":"/tmp/x"}                       remove this folder when the parent is gone
//   {"do":"keep","folder":"/tmp/x"}                         it is gone, or it shall stay
// The kernel closes the pipe when the parent ends, also after SIGKILL, and what was written before can still be read.
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;
const KILL_GRACE_MS = 2_000;

/** pid → { signal, graceMs, born }. */
const guarded = new Map();
/** Folders to remove. */
const folders = new Set();

/**
 * When a process was born, so that a number used again for somebody else's process is not mistaken for ours.
 * @returns {string | undefined} undefined: it has ended (a zombie has, too).
 */
function bornAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may contain anything: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return process.platform === 'linux' ? undefined : bornSomewhereElse(pid);
  }
}

/** Without /proc only existence can be asked for. */
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
    // It has ended in the meantime, which is what the signal was for.
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
  release: ({ pid }) => guarded.delete(pid),
  remove: ({ folder }) => folders.add(folder),
  keep: ({ folder }) => folders.delete(folder),
};

// Ctrl-C and a closing terminal mean the parent; this process ends when there is nothing left to do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  actions[order.do](order);
}
await Promise.all([...guarded].map(end));
for (const folder of folders) {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

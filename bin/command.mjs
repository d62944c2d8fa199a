import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs one step of the set-up to its end. Its output goes to standard error: standard output belongs to the program that
 * is run afterwards, and may have to be one line of JSON. A signal to us ends the step first, then us, so that no
 * half-finished step goes on writing behind the back of the next set-up.
 * @throws when it fails
 */
export async function run(command, args, { cwd, env = {} }) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
  let interrupted;
  const pass = signal => {
    interrupted = signal;
    child.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, pass);
  try {
    const [code, signal] = await once(child, 'exit');
    if (interrupted) process.exit(128 + constants.signals[interrupted]);
    if (code !== 0) throw new Error(`${[command, ...args].join(' ')} failed (${signal ?? `exit code ${code}`})`);
  } finally {
    for (const signal of PASSED_ON) process.off(signal, pass);
  }
}

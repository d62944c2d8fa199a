import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs one step of the set-up to its end. Its output goes to standard error, because standard output belongs to the program that
 * runs next. A signal to this process ends the step first, so that no half-finished step writes while the next set-up runs.
 * @throws when the step fails
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

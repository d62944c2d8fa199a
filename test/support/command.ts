import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { checkout } from '#core/process/checkout.js';

/** What a command came to. */
export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs the command line to its end.
 *
 * @param args as typed after `npm run cli --`
 * @param env its settings; nothing else is inherited but PATH
 * @returns what it came to
 */
export function cli(args: string[], env: Record<string, string>): Promise<Ended> {
  return run('apps/cli/main', args, env);
}

/**
 * Runs a program to its end.
 *
 * @param script its path below dist/, without .js
 * @param args its arguments
 * @param env its settings; nothing else is inherited but PATH
 * @returns what it came to
 */
export async function run(script: string, args: string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, [`dist/${script}.js`, ...args], {
    cwd: checkout,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exitCode = new Promise<number | null>(resolve => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exitCode, stdout, stderr };
}

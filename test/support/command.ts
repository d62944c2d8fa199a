import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { checkout } from '#core/process/checkout.js';

/** The result of a program that has ended. */
export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs the command line to its end.
 *
 * @param args the words after `npm run cli --`
 * @param env the settings; only PATH is inherited
 */
export function cli(args: string[], env: Record<string, string>): Promise<Ended> {
  return run('apps/cli/main', args, env);
}

/**
 * Runs a program to its end.
 *
 * @param script path below dist/, without .js
 * @param env the settings; only PATH is inherited
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

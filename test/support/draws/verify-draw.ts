import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { checkout } from '#core/process/checkout.js';
import type { Ended } from '../command.js';

const SCRIPT = join(checkout, 'examples/verify-draw/verify_draw.py');

/**
 * Runs the independent verifier of draws to its end.
 *
 * @param args its arguments: an address or a folder, and options
 * @throws Error when the machine has no Python 3
 */
export async function verifyDrawAlone(...args: string[]): Promise<Ended> {
  const child = spawn('python3', [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exitCode = new Promise<number | null>((resolve, reject) => {
    child.once('error', error => reject(new Error(`python3 is needed: apt-get install python3 (${error.message})`)));
    child.once('exit', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode]);
  return { exitCode: code, stdout, stderr };
}

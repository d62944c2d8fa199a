import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { checkout } from '#core/process/checkout.js';

/** Brings dist/ up to date, from which processes and commands run: also before a single test that is run by hand. */
export async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, ['bin/bootstrap.mjs'], { cwd: checkout });
}

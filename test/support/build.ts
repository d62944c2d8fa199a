import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { checkout } from '#core/process/checkout.js';

/** Makes dist/, from which processes and commands run, what the sources say: also when a single test is run by hand. */
export async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, ['bin/bootstrap.mjs'], { cwd: checkout });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';

/**
 * Writes a page of the documentation that a program makes, as the formatter would have it: otherwise lint would refuse it.
 *
 * @param path where
 * @param text Markdown
 */
export async function writePage(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const formatter = [join('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'format', '--write', path];
  await once(spawn(process.execPath, formatter, { cwd: checkout, stdio: 'ignore' }), 'close');
}

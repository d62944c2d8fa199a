import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';

/** Writes a generated page of the documentation and formats its Markdown, as lint refuses an unformatted page. */
export async function writePage(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const formatter = [join('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'format', '--write', path];
  await once(spawn(process.execPath, formatter, { cwd: checkout, stdio: 'ignore' }), 'close');
}

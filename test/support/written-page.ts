import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { checkout } from '#core/process/checkout.js';

/**
 * Writes a page of the documentation that a program makes, formatted: lint refuses a page that isn't.
 *
 * @param path where the page lies in this checkout
 * @param page Markdown
 * @throws Error when the formatter fails; nothing is written then
 */
export async function writePage(path: string, page: string): Promise<void> {
  await writeFile(path, await formatPage(path, page));
}

/**
 * Formats a page as `npm run format` would.
 *
 * @param path where the page lies in this checkout: the formatter's rules depend on it
 * @param page Markdown
 * @returns the formatted text
 * @throws Error when the formatter fails
 */
export async function formatPage(path: string, page: string): Promise<string> {
  const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const args = [biome, 'format', `--stdin-file-path=${relative(checkout, path)}`];
  const formatter = spawn(process.execPath, args, { cwd: checkout, stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(formatter, 'close');
  formatter.stdin.end(page);
  const formatted = await text(formatter.stdout);
  const [code] = await closed;
  if (code !== 0) throw new Error(`the formatter could not read the text of ${path}`);
  return formatted;
}

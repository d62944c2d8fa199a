import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { checkout } from '#core/process/checkout.js';

/**
 * Writes a generated page of the documentation, formatted: lint refuses an unformatted page.
 *
 * @param path a file of this checkout
 * @param page Markdown
 * @throws Error when the formatter fails; the file then stays as it is
 */
export async function writePage(path: string, page: string): Promise<void> {
  await writeFile(path, await formatPage(path, page));
}

/**
 * Formats a page as `npm run format` does.
 *
 * @param path a file of this checkout, which selects the rules of the formatter
 * @param page Markdown
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

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { checkout } from '#core/process/checkout.js';

const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', args, { cwd: checkout, maxBuffer: 2 ** 28 })).stdout;

/** The lines of each file that are new or different since a revision. */
export type ChangedLines = ReadonlyMap<string, ReadonlySet<number>>;

/**
 * Reads which lines the working tree has changed since a revision.
 *
 * @throws Error when git doesn't know the revision
 */
export async function readChangedLines(revision: string): Promise<ChangedLines> {
  // Files that git does not know yet are new from their first line to their last.
  const added = (await git('ls-files', '--others', '--exclude-standard')).split('\n').filter(path => path !== '');
  const lines = parseDiff(await git('diff', '--unified=0', '--no-color', '--no-ext-diff', revision, '--'));
  for (const path of added) lines.set(path, EVERY_LINE);
  return lines;
}

const EVERY_LINE: Set<number> = Object.assign(new Set<number>(), { has: () => true });

/** Reads the new lines out of a diff without context. */
export function parseDiff(diff: string): Map<string, Set<number>> {
  const lines = new Map<string, Set<number>>();
  let current = new Set<number>();
  for (const line of diff.split('\n')) {
    const path = /^\+\+\+ b\/(.*)$/.exec(line)?.[1];
    if (path !== undefined) {
      current = new Set();
      lines.set(path, current);
    }
    const [, first, count = '1'] = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    for (let index = 0; first !== undefined && index < Number(count); index += 1) current.add(Number(first) + index);
  }
  return lines;
}

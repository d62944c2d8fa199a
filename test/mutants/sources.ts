import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const FOLDERS = ['apps', 'bench', 'bin', 'core', 'nginx', 'prisma', 'stack', 'test'];
const TEXTS = /\.(ts|js|mjs|lua|conf|sql)$/;
const LEFT_OUT = /^core\/postgres\/generated\//;

/**
 * Reads the sources and tests of a folder.
 *
 * @returns the texts by their paths
 */
export async function readSources(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of FOLDERS) {
    const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
    const paths = entries
      .filter(entry => entry.isFile())
      .map(entry => relative(folder, join(entry.parentPath, entry.name)));
    for (const path of paths.filter(one => TEXTS.test(one) && !LEFT_OUT.test(one)).sort()) {
      texts.set(path, await readFile(join(folder, path), 'utf8'));
    }
  }
  return texts;
}

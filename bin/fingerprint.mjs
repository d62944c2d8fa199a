// A fingerprint covers contents, not times: in a copied or freshly cloned folder the times mean nothing.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Lists the paths of all files under a folder, in a fixed order; none if the folder doesn't exist. */
export function filesUnder(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    });
}

/**
 * Returns a short text that changes when a file, its name, or one of the `facts` does. It doesn't depend on where the clone is.
 * @param {string} root the clone
 * @param {string[]} paths files in the clone
 * @param {string[]} facts anything else that matters, such as the version of a compiler
 */
export function fingerprint(root, paths, facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const path of paths) hash.update(`\0${relative(root, path)}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

/** Reads the text of a file; undefined when the file doesn't exist. */
export function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

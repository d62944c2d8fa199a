import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Sources lie in apps/stack, the compiled files in dist/apps/stack: the folder with package.json is above both. */
function above(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('Dropline runs from its own folder, but no package.json is above this file');
  return above(parent);
}

/** The folder Dropline was cloned into, as an absolute path. */
export const checkout = above(dirname(fileURLToPath(import.meta.url)));

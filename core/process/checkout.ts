import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Sources lie in core/, the compiled files in dist/core/: the folder with package.json is above both. */
function above(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  return above(dirname(folder));
}

/** The folder Dropline was cloned into, as an absolute path. */
export const checkout = above(import.meta.dirname);

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Finds the folder that holds package.json, at or above the given one. Sources lie in core/, compiled files in
 * dist/core/.
 */
function above(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  return above(dirname(folder));
}

/** Absolute path of the checkout that this code runs from: the folder that holds package.json. */
export const checkout = above(import.meta.dirname);

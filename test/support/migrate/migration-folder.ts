import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';

/**
 * Lets the calling test file write folders of migrations, and removes them after each test.
 *
 * @returns writes a folder with one script for each name of a migration
 */
export function useMigrationFolders(): (scripts: Record<string, string>) => Promise<string> {
  const folders: string[] = [];
  afterEach(() => Promise.all(folders.splice(0).map(removeTemporaryFolder)));
  return async scripts => {
    const folder = await createTemporaryFolder();
    folders.push(folder);
    for (const [name, script] of Object.entries(scripts)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'migration.sql'), script);
    }
    return folder;
  };
}

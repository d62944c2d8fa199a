import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { removeTemporary, temporaryFolder } from '#stack/stores/temporary-folder.js';

/**
 * Lets a test file write folders of migrations; each is removed after its test.
 *
 * @returns writes a folder with these scripts by their migration's name
 */
export function useMigrationFolders(): (scripts: Record<string, string>) => Promise<string> {
  const folders: string[] = [];
  afterEach(() => Promise.all(folders.splice(0).map(removeTemporary)));
  return async scripts => {
    const folder = await temporaryFolder();
    folders.push(folder);
    for (const [name, script] of Object.entries(scripts)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'migration.sql'), script);
    }
    return folder;
  };
}

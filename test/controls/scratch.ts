import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import type { Edit } from './bug.js';

/** All that a unit or integration test reads. What is compiled is for the fake provider, a process that no bug is made in. */
const COPIED = [
  'apps',
  'bin',
  'core',
  'dist',
  'prisma',
  'stack',
  'test',
  'jest.config.js',
  'package.json',
  'prisma.config.ts',
  'tsconfig.json',
];

/** A copy of the sources that may be damaged. */
export interface Scratch {
  folder: string;
  /**
   * @param edits damages it so for as long as `work` runs
   * @throws Error when a place is not there exactly once: then the product has changed, and the bug has to follow
   */
  damaged<T>(edits: Edit[], work: () => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

/** @returns a copy of the sources, with the same packages */
export async function createScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'dropline-controls-'));
  for (const name of COPIED) await cp(join(checkout, name), join(folder, name), { recursive: true });
  await symlink(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  const damage = async ({ file, find, replace }: Edit): Promise<void> => {
    const text = await readFile(join(folder, file), 'utf8');
    const pieces = text.split(find);
    if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} places that read: ${find}`);
    await writeFile(join(folder, file), pieces.join(replace));
  };
  return {
    folder,
    async damaged(edits, work) {
      try {
        for (const edit of edits) await damage(edit);
        return await work();
      } finally {
        for (const { file } of edits) await cp(join(checkout, file), join(folder, file));
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

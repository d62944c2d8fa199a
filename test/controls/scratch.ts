import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import type { Edit } from './bug.js';

/** The files that a unit or integration test reads. dist/ is for the fake provider, a process in which no bug is made. */
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

/** A copy of the sources, in which bugs are made. */
export interface Scratch {
  folder: string;
  /**
   * Makes edits, does some work, and takes the edits back.
   *
   * @throws Error when a file doesn't have the text exactly once: the product has changed, and the bug has to follow
   */
  withEdits<T>(edits: Edit[], work: () => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

/** Creates a copy of the sources, with the same packages. */
export async function createScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'dropline-controls-'));
  for (const name of COPIED) await cp(join(checkout, name), join(folder, name), { recursive: true });
  await symlink(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  const apply = async ({ file, find, replace }: Edit): Promise<void> => {
    const text = await readFile(join(folder, file), 'utf8');
    const pieces = text.split(find);
    if (pieces.length !== 2) throw new Error(`${file} has this text ${pieces.length - 1} times, not once: ${find}`);
    await writeFile(join(folder, file), pieces.join(replace));
  };
  return {
    folder,
    async withEdits(edits, work) {
      try {
        for (const edit of edits) await apply(edit);
        return await work();
      } finally {
        for (const { file } of edits) await cp(join(checkout, file), join(folder, file));
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

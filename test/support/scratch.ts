import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { reaper } from '#stack/processes/reaper.js';

/** A change of one file. The file has the text `find` exactly once. */
export interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** Packages are linked, and no test reads the other folders. */
const LEFT_OUT = ['node_modules', '.git', '.data', 'coverage', 'findings'];

/** A copy of the sources, in which bugs and mutants are made. */
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

/** Creates a copy of the sources, with the same packages. It is removed when this process ends, however it ends. */
export async function createScratch(): Promise<Scratch> {
  const folder = join(tmpdir(), `dropline-scratch-${randomUUID()}`);
  await reaper.removeAtEnd(folder);
  await mkdir(folder);
  const names = (await readdir(checkout)).filter(name => !LEFT_OUT.includes(name));
  for (const name of names) await cp(join(checkout, name), join(folder, name), { recursive: true });
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
      const files = [...new Set(edits.map(({ file }) => file))];
      const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')));
      try {
        for (const edit of edits) await apply(edit);
        return await work();
      } finally {
        for (const [index, file] of files.entries()) await writeFile(join(folder, file), texts[index] ?? '');
      }
    },
    async remove() {
      await rm(folder, { recursive: true, force: true });
      await reaper.keep(folder);
    },
  };
}

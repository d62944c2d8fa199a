import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transformFile } from '@swc/core';
import { checkout } from '#core/process/checkout.js';

const SOURCE = join(checkout, 'bench');
const TARGET = join(checkout, '.data', 'bench');

/**
 * Compiles the benchmark's own processes (generator and baselines) to plain JavaScript. They then import dist/core and run
 * the same way as the processes that they are compared with. tsx would wrap each closure to keep its name, and slow the
 * baselines down.
 *
 * @returns a function from a path below bench/, without ending, to the compiled file
 */
export async function compileBench(): Promise<(name: string) => string> {
  await rm(TARGET, { recursive: true, force: true });
  const names = (await readdir(SOURCE, { recursive: true })).filter(name => name.endsWith('.ts'));
  for (const name of names) {
    const { code } = await transformFile(join(SOURCE, name), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      module: { type: 'es6' },
    });
    const path = join(TARGET, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
  return name => join(TARGET, `${name}.js`);
}

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transformFile } from '@swc/core';
import { checkout } from '#core/process/checkout.js';

const SOURCE = join(checkout, 'bench');
const TARGET = join(checkout, '.data', 'bench');

/**
 * Compiles the benchmark's own processes, the generator and the baselines, to plain JavaScript beside dist/, whose core they
 * then import: the same code, run in the same way as what they are compared with. (Under tsx every closure is wrapped to
 * keep its name, which would make a baseline slower than it is.)
 *
 * @returns gives the path of a compiled file, by its path below bench/ without ending
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

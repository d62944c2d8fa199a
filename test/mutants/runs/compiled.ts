import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transformSync } from '@swc/core';
import { markBuilt } from '../../../bin/build.mjs';
import { buildWeb } from '../../../bin/build-web.mjs';

/** Processes run these from dist/. */
const COMPILED = /^(core|apps|stack)\//;

/** Compiles one file of TypeScript as jest does. It checks no types. */
export function compile(file: string, text: string): string {
  return transformSync(text, {
    filename: file,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'es6' },
  }).code;
}

/** Tells whether a text can be parsed. Only TypeScript and JavaScript are parsed before they run. */
export function parses(file: string, text: string): boolean {
  if (!/\.(ts|js|mjs)$/.test(file)) return true;
  try {
    compile(file, text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes files into a copy of the sources, and what processes need of them into dist/. A build by the whole compiler would take
 * seconds, and would refuse the types of a mutant.
 *
 * @param folder the copy
 * @param texts the texts of the files, by their paths
 */
export async function writeCompiled(folder: string, texts: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, text] of texts) {
    await writeFile(join(folder, file), text);
    if (COMPILED.test(file)) await writeBuilt(folder, file, text);
  }
  markBuilt(folder);
}

async function writeBuilt(folder: string, file: string, text: string): Promise<void> {
  if (file.startsWith('apps/web/')) {
    buildWeb({ from: join(folder, 'apps', 'web'), to: join(folder, 'dist', 'apps', 'web') });
    return;
  }
  const target = join(folder, 'dist', file);
  await mkdir(dirname(target), { recursive: true });
  if (file.endsWith('.ts')) await writeFile(target.replace(/\.ts$/, '.js'), compile(file, text));
  else await copyFile(join(folder, file), target);
}

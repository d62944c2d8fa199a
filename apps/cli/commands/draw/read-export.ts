import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { VerifiableDraw } from '#core/draw/verify.js';
import { CommandError } from '../../failure.js';

const bytes = z.string().regex(/^([0-9a-f]{2})+$/);
const hash = bytes.length(64);

const About = z.object({
  commitment: hash,
  entries: z.int().min(0),
  root: hash,
  lateEntries: z.int().min(0).optional(),
  seed: hash.optional(),
  value: z.string().optional(),
});
const Late = z.object({ entries: z.array(bytes.length(80)) });

/** A folder of `draw export`. */
export interface Exported {
  draw: VerifiableDraw;
  chunks: AsyncIterable<Buffer>;
  late: AsyncIterable<Buffer>;
}

/**
 * Opens a folder of `draw export`. Its files are read as they are needed.
 *
 * @throws CommandError when the folder has no export, or a file of it has another form
 */
export async function readExport(folder: string): Promise<Exported> {
  return { draw: await readJson(folder, 'about.json', About), chunks: chunksIn(folder), late: lateIn(folder) };
}

async function* chunksIn(folder: string): AsyncGenerator<Buffer> {
  for (let number = 0; ; number += 1) {
    const path = join(folder, 'entries', String(number));
    if (!existsSync(path)) return;
    yield await readFile(path);
  }
}

async function* lateIn(folder: string): AsyncGenerator<Buffer> {
  if (!existsSync(join(folder, 'late.json'))) return;
  const { entries } = await readJson(folder, 'late.json', Late);
  for (const entry of entries) yield Buffer.from(entry, 'hex');
}

async function readJson<T>(folder: string, name: string, form: z.ZodType<T>): Promise<T> {
  const path = join(folder, name);
  if (!existsSync(path)) throw new CommandError(`${path} is missing: name a folder that \`draw export\` has written`);
  const text = await readFile(path, 'utf8');
  const read = form.safeParse(parsed(text));
  if (read.success) return read.data;
  throw new CommandError(`${path} has another form than \`draw export\` writes`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

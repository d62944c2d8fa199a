import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { CommandError } from '../../failure.js';
import { parseId } from '../../options.js';
import { print, printJson } from '../../print.js';
import { withDatabase } from '../../stores.js';
import { noDraw } from './no-draw.js';

interface Options {
  to: string;
  json?: true;
}

/** Adds the command `draw export`, which writes what is published of a draw to files. It needs Postgres only. */
export function addDrawExport(draw: Command): void {
  draw
    .command('export')
    .description('write what is published of a draw to files, for anybody who verifies it')
    .argument('<sale>', 'id of the sale', parseId)
    .requiredOption('--to <folder>', 'a new folder: about.json, entries/0, entries/1, ..., late.json')
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { to, json }: Options) =>
      withDatabase(async db => {
        const { lateEntries, publishedChunks, publishedOf } = await import('#core/steps/line/publish.js');
        const { readDraw } = await import('#core/postgres/draws/draws.js');
        const found = await readDraw(db, saleId);
        if (!found) throw noDraw(saleId);
        if (!found.list)
          throw new CommandError(`the list of sale ${saleId} is not closed: export it after the opening`);
        if (existsSync(join(to, 'about.json'))) throw new CommandError(`${to} has an export: name a new folder`);
        await mkdir(join(to, 'entries'), { recursive: true });
        let chunks = 0;
        for await (const chunk of publishedChunks(db, found)) {
          await writeFile(join(to, 'entries', String(chunks)), chunk);
          chunks += 1;
        }
        const late = await writeLate(join(to, 'late.json'), lateEntries(db, found));
        const about = { ...publishedOf(found), lateEntries: late };
        // It comes last: a folder with it is whole.
        await writeFile(join(to, 'about.json'), `${JSON.stringify(about, null, 2)}\n`);
        const { entries } = found.list;
        if (json) printJson({ sale: saleId, folder: to, entries, chunks });
        else print(`${entries} entries of sale ${saleId} are in ${to}, in ${chunks} chunks`);
      }),
    );
}

/**
 * Writes late entries to a file, piece by piece: `{"entries":["…"]}` in hexadecimal digits.
 *
 * @returns how many there are
 */
async function writeLate(path: string, entries: AsyncIterable<Buffer>): Promise<number> {
  let count = 0;
  const json = async function* () {
    yield '{"entries":[';
    for await (const entry of entries) {
      yield `${count === 0 ? '' : ','}\n"${entry.toString('hex')}"`;
      count += 1;
    }
    yield '\n]}\n';
  };
  await pipeline(json, createWriteStream(path));
  return count;
}

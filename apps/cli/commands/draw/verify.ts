import { type Command, Option } from 'commander';
import type { PlacedEntry, Verdict, VerifiableDraw } from '#core/draw/verify.js';
import { parseId, parseWhole } from '../../options.js';
import { factLines, print, printJson, tableOf } from '../../print.js';
import { withStores } from '../../stores.js';
import { noDraw } from './no-draw.js';

interface Options {
  from?: string;
  first: number;
  commitment?: string;
  json?: true;
}

/** The facts and the list of a draw, wherever they come from. */
interface Read {
  name: string;
  draw: VerifiableDraw;
  chunks: AsyncIterable<Buffer>;
  late: AsyncIterable<Buffer>;
}

/** Adds the command `draw verify`, which checks that an order follows from what was published. */
export function addDrawVerify(draw: Command): void {
  const command = draw
    .command('verify')
    .description('check commitment, root and order of a draw; exit code 1 if something does not agree')
    .argument('[sale]', 'id of the sale: Postgres is read, and compared with Redis', parseId)
    .addOption(new Option('--from <folder>', 'check a folder of `draw export` instead, without any store'))
    .option('--first <n>', 'print the first entries of the order', parseWhole(0, 10_000_000), 10)
    .option('--commitment <hex>', 'the commitment that you have noted when the sale was created')
    .option('--json', 'print one line of JSON')
    .action(async (saleId: string | undefined, options: Options) => {
      if ((saleId === undefined) === (options.from === undefined)) {
        command.error('name a sale, or a folder with --from', { exitCode: 2 });
      }
      if (options.from !== undefined) return verifyFolder(options.from, options);
      return verifySale(String(saleId), options);
    });
}

async function verifyFolder(folder: string, options: Options): Promise<void> {
  const { readExport } = await import('./read-export.js');
  await tell({ name: folder, ...(await readExport(folder)) }, options, []);
}

function verifySale(saleId: string, options: Options): Promise<void> {
  return withStores(async ctx => {
    const { drawFaults } = await import('#core/comparison/draw.js');
    const { lateEntries, publishedChunks, publishedOf } = await import('#core/steps/line/publish.js');
    const { readDraw } = await import('#core/postgres/draws/draws.js');
    const draw = await readDraw(ctx.db, saleId);
    if (!draw) throw noDraw(saleId);
    const chunks = draw.list ? publishedChunks(ctx.db, draw) : none();
    const read = { name: `sale ${saleId}`, draw: publishedOf(draw), chunks, late: lateEntries(ctx.db, draw) };
    await tell(read, options, await drawFaults(ctx, saleId));
  });
}

async function* none(): AsyncGenerator<Buffer> {}

/**
 * Verifies what was read, and prints the verdict.
 *
 * @param others the faults beyond what is published
 */
async function tell({ name, draw, chunks, late }: Read, options: Options, others: readonly string[]): Promise<void> {
  const { verifyDraw } = await import('#core/draw/verify.js');
  const verdict = await verifyDraw(draw, chunks, late);
  const noted = options.commitment?.toLowerCase() ?? draw.commitment;
  const isOther = noted !== draw.commitment ? [`the commitment is ${draw.commitment}, and not ${noted}`] : [];
  const faults = [...new Set([...isOther, ...verdict.faults, ...others])];
  const first = verdict.order?.slice(0, options.first);
  const { entries, root } = verdict;
  if (options.json) printJson({ name, ok: faults.length === 0, faults, entries, root, order: first ?? null });
  else print(...linesOf(name, draw, { ...verdict, faults, order: first }));
  if (faults.length > 0) process.exitCode = 1;
}

function linesOf(name: string, draw: VerifiableDraw, { faults, entries, root, order }: Verdict): string[] {
  const agrees = order ? 'everything agrees' : 'everything agrees so far; the order is not decided yet';
  return [
    `${name}: ${faults.length === 0 ? agrees : 'SOMETHING DOES NOT AGREE'}`,
    ...faults.map(fault => `  ${fault}`),
    ...factLines({ entries, root, commitment: draw.commitment, value: draw.value || '-' }),
    ...(order && order.length > 0 ? tableOf([['  place', 'entry', 'lot'], ...order.map(rowOf)]) : []),
  ];
}

function rowOf({ number, lot, isLate }: PlacedEntry, index: number): string[] {
  return [`  ${index + 1}`, `${number}${isLate ? ' (late)' : ''}`, String(lot)];
}

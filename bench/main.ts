// `npm run bench`: measures everything side by side in one run. bench/README.md explains the options and the figures.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { type Lifetime, startLifetime } from '#stack/processes/lifetime.js';
import { compareWith } from './against/compare.js';
import { comparisonLine, comparisonTable, exitCodeOf } from './against/report.js';
import { type Measured, measureAll } from './benchmark.js';
import { measureGrowth } from './growth/growth.js';
import { drawGrowth } from './growth/picture.js';
import { growthLine, growthTable } from './growth/report.js';
import { loadNow } from './measure/machine.js';
import { type Options, readOptions } from './options.js';
import { drawPicture, PICTURES } from './picture.js';
import { reportOf, seriesByField, summaryOf } from './report.js';
import { startRig } from './rig/rig.js';

const FOLDER = join(checkout, 'bench');

async function save(measured: Measured, report: string): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  const name = `${day}-${measured.machine.cpu}-${measured.machine.cores}-cores`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  await mkdir(join(FOLDER, 'results'), { recursive: true });
  const result = { ...measured, series: seriesByField(measured) };
  await writeFile(join(FOLDER, 'results', `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(join(FOLDER, 'results', `${name}.md`), report);
  await writeFile(join(FOLDER, 'picture.svg'), drawPicture(measured, PICTURES.full));
  await writeFile(join(FOLDER, 'picture-short.svg'), drawPicture(measured, PICTURES.short));
}

/** Writes the report. With `--json` it goes to standard error, and standard output gets one line of JSON. */
function show(options: Options, report: string, summary: object): void {
  if (!options.json) return void process.stdout.write(report);
  process.stderr.write(report);
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

async function measure(options: Options, { beforeEnd }: Lifetime): Promise<number> {
  const loadBefore = loadNow();
  const rig = await startRig(options, beforeEnd);
  const measured = await measureAll(rig, beforeEnd, loadBefore);
  const report = `${reportOf(measured)}\n`;
  if (options.save) await save(measured, report);
  show(options, report, summaryOf(measured));
  return 0;
}

async function measureSlopes(options: Options, { beforeEnd }: Lifetime): Promise<number> {
  const grown = await measureGrowth(await startRig(options, beforeEnd), beforeEnd);
  if (options.save) {
    await writeFile(join(FOLDER, 'results', 'growth.md'), growthTable(grown));
    await writeFile(join(FOLDER, 'picture-growth.svg'), drawGrowth(grown));
  }
  show(options, growthTable(grown), growthLine(grown));
  return 0;
}

async function compare(options: Options, folder: string, { beforeEnd }: Lifetime): Promise<number> {
  const compared = await compareWith(folder, options, beforeEnd);
  show(options, `${comparisonTable(compared)}\n`, comparisonLine(compared));
  return exitCodeOf(compared);
}

function run(options: Options, lifetime: Lifetime): Promise<number> {
  if (options.growth) return measureSlopes(options, lifetime);
  return options.against === undefined ? measure(options, lifetime) : compare(options, options.against, lifetime);
}

const lifetime = startLifetime();
try {
  const options = readOptions(process.argv.slice(2));
  await lifetime.end(await run(options, lifetime));
} catch (error) {
  await lifetime.fail(error);
}

// `npm run bench`: everything side by side, in one run. What the options are, and how to read it: bench/README.md.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { startLifetime } from '#stack/processes/lifetime.js';
import { type Measured, measureAll } from './benchmark.js';
import { loadNow } from './measure/machine.js';
import { readOptions } from './options.js';
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

const lifetime = startLifetime();
try {
  const loadBefore = loadNow();
  const options = readOptions(process.argv.slice(2));
  const rig = await startRig(options, lifetime.beforeEnd);
  const measured = await measureAll(rig, lifetime.beforeEnd, loadBefore);
  const report = `${reportOf(measured)}\n`;
  if (options.save) await save(measured, report);
  if (options.json) {
    process.stderr.write(report);
    process.stdout.write(`${JSON.stringify(summaryOf(measured))}\n`);
  } else {
    process.stdout.write(report);
  }
  await lifetime.end(0);
} catch (error) {
  await lifetime.fail(error);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { readOptions } from './options.js';
import { exitCodeOf, type Finding, runFuzz } from './run.js';

// `npm run fuzz`: one run, and its result as JSON. The exit code is 1 after a finding.

/** The characters of an input that are printed. Its file has all of them. */
const PRINTED_MAX = 400;

const tell = (line: string) => void process.stderr.write(`${line}\n`);

/** Prints findings, and writes the bytes of their inputs into a folder. */
async function report(seed: number, findings: readonly Finding[]): Promise<void> {
  const folder = join(checkout, '.data', 'fuzz', `seed-${seed}`);
  await mkdir(folder, { recursive: true });
  for (const { text, number, input } of findings) {
    tell(text);
    if (!input) continue;
    const file = join(folder, `input-${number}`);
    await writeFile(file, input.text, 'latin1');
    tell(`  ${JSON.stringify(input.text.slice(0, PRINTED_MAX))}\n  all its bytes: ${file}`);
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  const { seed, json } = options;
  const { findings, ...result } = await runFuzz(options, tell);
  if (findings.length > 0) await report(seed, findings);
  const told = { ...result, findings: findings.map(({ text, number }) => ({ text, number })) };
  process.stdout.write(json ? `${JSON.stringify(told)}\n` : `${JSON.stringify(told, null, 2)}\n`);
  if (findings.length > 0)
    tell(`${findings.length} findings: npm run fuzz -- --seed ${seed} --inputs ${result.inputs} repeats the run`);
  process.exit(exitCodeOf({ findings }));
} catch (error) {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}

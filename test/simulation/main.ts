import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RULES } from './model/rules.js';
import { exitCodeOf, type Histories, runSimulation } from './run.js';

// `npm run simulate`: random histories of the money, one after the other, and the result as JSON. The exit code is 1 after
// a violation. Then the first history with one is shortened and told. Everything follows from the seed.

const SEED_MAX = 2 ** 31;
const HISTORIES = 100_000;

const tell = (line: string) => void process.stderr.write(`${line}\n`);

/** The words after `npm run simulate --`. */
function readOptions(args: string[]): Histories & { json: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      histories: { type: 'string', default: String(HISTORIES) },
      seed: { type: 'string', default: String(randomInt(SEED_MAX)) },
      json: { type: 'boolean', default: false },
    },
  });
  const [histories, seed] = [Number(values.histories), Number(values.seed)];
  if (!Number.isInteger(histories) || histories < 1) throw new Error('--histories must be a whole number from 1 up');
  if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
  return { histories, seed, json: values.json };
}

try {
  const { json, ...options } = readOptions(process.argv.slice(2));
  const result = runSimulation(RULES, options, tell);
  process.stdout.write(`${JSON.stringify(result, null, json ? 0 : 2)}\n`);
  process.exitCode = exitCodeOf(result);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { percentile } from '../support/percentile.js';
import { RULES } from './model/rules.js';
import { type History, playRandom, replay } from './scheduler.js';
import { shrink } from './shrink.js';

// `npm run simulate`: random histories of the money, one after the other, and the result as JSON. The exit code is 1 after
// a violation. Then the first history with one is shortened and told. Everything follows from the seed.

const SEED_MAX = 2 ** 31;
const HISTORIES = 100_000;

const tell = (line: string) => void process.stderr.write(`${line}\n`);

/** The words after `npm run simulate --`. */
function readOptions(args: string[]): { histories: number; seed: number; json: boolean } {
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

/** Tells a broken history in its shortest form. The history has the seed of the run plus its number. */
function tellBroken(history: History, seed: number): void {
  const shortest = shrink(RULES, history);
  replay(RULES, shortest, tell);
  tell(`${shortest.moves.length} moves are left of ${history.moves.length}. To repeat:`);
  tell(`npm run simulate -- --histories 1 --seed ${seed}`);
}

function run({ histories, seed }: { histories: number; seed: number }) {
  const startedAt = performance.now();
  const steps: number[] = [];
  const atOnce = { least: Number.POSITIVE_INFINITY, most: 0 };
  let violations = 0;
  for (let number = 0; number < histories; number += 1) {
    const outcome = playRandom(RULES, seed + number);
    steps.push(outcome.steps.length);
    atOnce.least = Math.min(atOnce.least, outcome.atOnce);
    atOnce.most = Math.max(atOnce.most, outcome.atOnce);
    if (outcome.violations.length === 0) continue;
    violations += 1;
    if (violations === 1) tellBroken(outcome.history, seed + number);
  }
  const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1));
  return { seed, histories, stepsMedian: percentile(steps, 0.5), processesAtOnce: atOnce, seconds, violations };
}

try {
  const { json, ...options } = readOptions(process.argv.slice(2));
  const result = run(options);
  process.stdout.write(`${JSON.stringify(result, null, json ? 0 : 2)}\n`);
  process.exitCode = result.violations === 0 ? 0 : 1;
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

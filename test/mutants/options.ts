import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** The seed of a run that names none. */
const SEED = '1';

/** The mutants that a run takes. Without `sample`, `changed` and `only` it takes money and scripts in full, and a sample of the rest. */
export interface MutantOptions {
  /** Takes a sample of this many from all parts. */
  sample?: number;
  seed: string;
  /** Takes what changed since this revision. */
  changed?: string;
  /** Takes the files whose path begins so. */
  only?: string;
  shard: { index: number; of: number };
  /** How many mutants are tried at the same time: one on each core if not given. */
  at: number;
  json: boolean;
  /** Only measures what the files of tests reach, those below `only` or all, and writes test/mutants/nearest/reach.json. */
  reach: boolean;
  /** Only writes docs/mutants.md from the results so far, such as those of all shards. */
  report: boolean;
}

/**
 * Parses the words after `npm run mutants --`.
 *
 * @throws Error with one line that names the wrong option
 */
export function readOptions(args: string[]): MutantOptions {
  const { values } = parseArgs({
    args: args.map((arg, index) => (arg === '--changed' && isAnOption(args[index + 1]) ? '--changed=' : arg)),
    options: {
      sample: { type: 'string' },
      seed: { type: 'string', default: SEED },
      changed: { type: 'string' },
      only: { type: 'string' },
      shard: { type: 'string', default: '1/1' },
      at: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      reach: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
    },
  });
  const { sample, seed, changed, only, json, reach, report } = values;
  const shard = /^(\d+)\/(\d+)$/.exec(values.shard)?.slice(1).map(Number) ?? [];
  const [index = 0, of = 0] = shard;
  if (index < 1 || index > of) throw new Error('--shard must be I/N, from 1/N to N/N');
  return {
    ...(sample !== undefined && { sample: count('--sample', sample) }),
    seed,
    ...(changed !== undefined && { changed: changed === '' ? 'HEAD' : changed }),
    ...(only !== undefined && { only }),
    shard: { index, of },
    at: count('--at', values.at),
    json,
    reach,
    report,
  };
}

const isAnOption = (arg: string | undefined): boolean => arg === undefined || arg.startsWith('--');

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number from 1`);
  return value;
}

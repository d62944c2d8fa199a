import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RUN_OPENINGS, type RunOpening } from './workload/world.js';

const SEED_MAX = 2 ** 31;

/** The options of a run of chaos. */
export interface ChaosOptions {
  minutes: number;
  /** The same seed gives the same faults and the same plans of buyers. */
  seed: number;
  json: boolean;
  /** Keeps the history of a run without violations, too. */
  keep: boolean;
  /** The number of buyers who come each second. */
  rate: number;
  /** Whether Redis is a Redis Cluster, with twelve sales at once. */
  cluster: boolean;
  /** How sales open. With draws, Redis is emptied and replaced, too. */
  opening: RunOpening;
}

/**
 * Parses the words after `npm run chaos --`.
 *
 * @throws Error with one line that names the wrong option
 */
export function readOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '3' },
      seed: { type: 'string', default: String(randomInt(SEED_MAX)) },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      rate: { type: 'string', default: '15' },
      cluster: { type: 'boolean', default: false },
      opening: { type: 'string', default: 'rush' },
    },
  });
  const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)];
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
  if (!(rate > 0)) throw new Error('--rate must be a number above 0');
  const opening = RUN_OPENINGS.find(one => one === values.opening);
  if (!opening) throw new Error(`--opening must be one of ${RUN_OPENINGS.join(', ')}`);
  return { minutes, seed, rate, json: values.json, keep: values.keep, cluster: values.cluster, opening };
}

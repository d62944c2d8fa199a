import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

const SEED_MAX = 2 ** 31;

/** The number of inputs of a run whose length is not given. */
const INPUTS = 50_000;

/** The options of a run of the fuzzer. */
export interface FuzzOptions {
  /** The same seed gives the same inputs. */
  seed: number;
  /** How many inputs are sent at most. */
  inputs: number;
  /** After this time no further input is sent, in minutes. */
  minutes: number;
  json: boolean;
}

/**
 * Parses the words after `npm run fuzz --`.
 *
 * @throws Error with one line that names the wrong option
 */
export function readOptions(args: string[]): FuzzOptions {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: String(randomInt(SEED_MAX)) },
      inputs: { type: 'string' },
      minutes: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const minutes = Number(values.minutes ?? Number.POSITIVE_INFINITY);
  const inputs = Number(values.inputs ?? (values.minutes === undefined ? INPUTS : Number.POSITIVE_INFINITY));
  if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
  if (!(inputs > 0)) throw new Error('--inputs must be a number above 0');
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  return { seed, inputs, minutes, json: values.json };
}

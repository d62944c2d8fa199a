import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { NewSale } from '#core/operator/create-sale.js';
import { parseWhole } from '../../options.js';
import { parseTime } from '../../time.js';

/** With more tries, an old phone would need longer than the time in which buyers get passes (docs/passes.md). */
const PASS_WORK_MAX = 20_000;

/** The bytes that decide the order in which units are dealt. */
const UNIT_SEED_BYTES = 32;

/** The options of `sale create` that make it harder for robots. */
export interface RobotOptions {
  pass?: true;
  passWork: number;
  announce?: number;
  coarseStock?: true;
  randomUnits?: true;
}

/** Adds the options that make it harder for robots. */
export function addRobots(command: Command): void {
  command
    .option('--pass', 'buying and joining need a pass, which buyers get shortly before the opening')
    .option(
      '--pass-work <n>',
      'the most tries of the proof of work that a pass costs; 0 for none',
      parseWhole(0, PASS_WORK_MAX),
      0,
    )
    .option('--announce <time>', 'hide the sale until then, in the forms of --opens', (text: string) => parseTime(text))
    .option('--coarse-stock', 'show visitors only roughly how many units are free')
    .option('--random-units', 'deal the numbers of the units in random order');
}

/**
 * Checks the options that make it harder for robots.
 *
 * @returns the message for a contradiction; undefined when there is none
 */
export function robotMistake(options: RobotOptions, { opensAtMs, joinsAtMs = opensAtMs }: NewSale): string | undefined {
  if (options.passWork > 0 && !options.pass) return '--pass-work needs --pass';
  if (options.announce !== undefined && options.announce > Math.min(joinsAtMs, opensAtMs)) {
    return '--announce must not be after --opens or --joins';
  }
  return undefined;
}

/** Returns the settings of a sale that make it harder for robots. */
export function robotRulesOf(
  options: RobotOptions,
): Pick<NewSale, 'needsPass' | 'passWork' | 'announceAtMs' | 'coarseStock' | 'unitSeed'> {
  return {
    needsPass: options.pass === true,
    passWork: options.passWork,
    announceAtMs: options.announce,
    coarseStock: options.coarseStock === true,
    unitSeed: options.randomUnits ? randomBytes(UNIT_SEED_BYTES).toString('hex') : undefined,
  };
}

import { type Command, Option } from 'commander';
import type { NewSale } from '#core/operator/create-sale.js';
import type { ValueSources } from '#core/postgres/draws/draws.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { OPENINGS, type OpeningKind } from '#core/rules/sale.js';
import { valueWords } from '#core/values/text.js';
import { CommandError } from '../../failure.js';
import { parseBy } from '../../options.js';
import { parseTime } from '../../time.js';

/** How long before the opening of a shuffle buyers may join, in ms, unless the operator says otherwise. */
const SHUFFLE_JOINS_MS = 15 * MINUTE_MS;

/**
 * The time from the opening to the round of the beacon, in ms. The list is closed and its root published within a few seconds of the
 * opening: before anybody knows the value.
 */
const BEACON_AFTER_MS = 30 * SECOND_MS;

/** The options of `sale create` that say how a sale opens. */
export interface OpeningOptions {
  opening: OpeningKind;
  joins?: number;
  valueSource?: string;
  valueSubstitute?: string;
  beacon?: true;
}

/** Adds the options that say how a sale opens. */
export function addOpening(command: Command): void {
  const opening = new Option(
    '--opening <how>',
    'rush: units go to the first clicks; shuffle or draw: buyers join before the opening, and lots make their order',
  );
  command
    .addOption(opening.choices(OPENINGS).default('rush'))
    .option(
      '--joins <time>',
      'when joining begins, in the forms of --opens (default: 15 minutes before a shuffle opens; now for a draw)',
      (text: string) => parseTime(text),
    )
    .option('--value-source <text>', 'the public value that will decide the order, in words', parseBy(valueWords))
    .option('--value-substitute <text>', 'the one that may, if the first never comes', parseBy(valueWords))
    .option('--beacon', 'the workers take the public value from DRAW_BEACON_URL, soon after the opening');
}

/** Computes when joining begins; undefined for a rush. */
export function joinsAtOf({ opening, joins }: OpeningOptions, opensAtMs: number): number | undefined {
  if (opening === 'rush') return undefined;
  return joins ?? (opening === 'draw' ? Date.now() : opensAtMs - SHUFFLE_JOINS_MS);
}

/**
 * Checks the options about the opening of a sale.
 *
 * @returns the message for a contradiction; undefined when there is none
 */
export function openingMistake(
  options: OpeningOptions,
  { opensAtMs, joinsAtMs }: Pick<NewSale, 'opensAtMs' | 'joinsAtMs'>,
): string | undefined {
  const { opening, joins, valueSource, valueSubstitute, beacon } = options;
  const isRush = opening === 'rush';
  if (isRush && joins !== undefined) return '--joins needs --opening shuffle or draw: nobody joins before a rush';
  if (isRush && (valueSource ?? valueSubstitute ?? beacon) !== undefined) {
    return '--value-source, --value-substitute and --beacon need --opening shuffle or draw: a rush has no lots';
  }
  if (beacon && valueSource !== undefined) return '--beacon is a --value-source of its own: name one of them';
  if (valueSubstitute !== undefined && valueSource === undefined && !beacon) {
    return '--value-substitute needs --value-source or --beacon: it is for the case that this one never comes';
  }
  if (!isRush && opensAtMs <= Date.now()) return `--opens must be in the future: buyers join before a ${opening} opens`;
  if (joinsAtMs !== undefined && joinsAtMs >= opensAtMs) return '--joins must be before --opens';
  return undefined;
}

/**
 * Names the public values of a draw. With --beacon, the round is the first one some seconds after the opening.
 *
 * @throws ConfigError without a beacon in the settings; CommandError when the beacon gives no answer
 */
export async function sourcesOf(options: OpeningOptions, opensAtMs: number): Promise<ValueSources> {
  const { valueSource, valueSubstitute, beacon } = options;
  if (!beacon) return { valueSource, valueSubstitute };
  const { ConfigError, readCommandConfig } = await import('#core/process/config.js');
  const { BeaconError, beaconWords, roundAfter } = await import('#core/steps/line/beacon.js');
  const { DRAW_BEACON_URL: url } = readCommandConfig(['DRAW_BEACON_URL']);
  if (url === undefined)
    throw new ConfigError('--beacon needs DRAW_BEACON_URL, as the workers have it (see .env.example)');
  try {
    const beaconRound = await roundAfter({ url }, opensAtMs + BEACON_AFTER_MS);
    return { valueSource: beaconWords({ url }, beaconRound), valueSubstitute, beaconRound };
  } catch (error) {
    if (error instanceof BeaconError) throw new CommandError(`${error.message}: no sale was created`);
    throw error;
  }
}

import type { Command } from 'commander';
import type { NewSale } from '#core/operator/create-sale.js';
import { parseWhole } from '../../options.js';

/** The ends without payment after which a buyer gets no unit of a sale any more, unless the operator says otherwise. */
const UNPAID_LIMIT = 2;
const UNPAID_LIMIT_MAX = 100;

/** The most units that a sale may allow a group: a sale with a higher limit needs none. */
const PER_GROUP_MAX = 1_000;

/** The shortest time to pay a unit that came back unpaid, in s, unless the operator names a shorter one. */
const RETRY_PAY_WITHIN_MIN_SECONDS = 60;

/** The options of `sale create` that say what holding a unit without paying costs. */
export interface HoldingOptions {
  payWithin: number;
  unpaidLimit: number;
  retryPayWithin?: number;
  perGroup: number;
}

/** Adds the options about holding without paying. */
export function addHolding(command: Command): void {
  command
    .option(
      '--unpaid-limit <n>',
      'ends without payment after which a buyer gets no unit of the sale any more; after the first one, others come before; 0 for no such rule',
      parseWhole(0, UNPAID_LIMIT_MAX),
      UNPAID_LIMIT,
    )
    .option(
      '--retry-pay-within <seconds>',
      'time to pay a unit that came back unpaid (default: a quarter of --pay-within, at least 60 s)',
      parseWhole(1, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--per-group <n>',
      'units that one group, such as a household, may hold at one time: the token names it in `dropline_group`; 0 for no such rule',
      parseWhole(0, PER_GROUP_MAX),
      0,
    );
}

/**
 * Checks the options about holding without paying.
 *
 * @returns the message for a contradiction; undefined when there is none
 */
export function holdingMistake(
  { retryPayWithin = 0, payWithin }: HoldingOptions,
  { settlement }: NewSale,
): string | undefined {
  if (retryPayWithin > payWithin) return '--retry-pay-within must not be longer than --pay-within';
  if (retryPayWithin > 0 && settlement === 'immediate') {
    return '--retry-pay-within needs --settlement deferred: otherwise units are paid at once';
  }
  return undefined;
}

/** Returns the settings of a sale about holding without paying. */
export function holdingOf(
  options: HoldingOptions,
): Pick<NewSale, 'unpaidLimit' | 'retryPayWithinSeconds' | 'perGroup'> {
  const { payWithin, unpaidLimit, perGroup } = options;
  const quarter = Math.max(Math.ceil(payWithin / 4), RETRY_PAY_WITHIN_MIN_SECONDS);
  return { unpaidLimit, retryPayWithinSeconds: options.retryPayWithin ?? Math.min(quarter, payWithin), perGroup };
}

import type { Command } from 'commander';
import type { ChangedSale, ChangeOutcome } from '#core/operator/change-sale.js';
import type { SaleUpdate } from '#core/postgres/sales.js';
import { UNITS_MAX } from '#core/rules/sale.js';
import { CommandError, unknownSale } from '../../failure.js';
import { parseId, parseWhole } from '../../options.js';
import { print, printJson } from '../../print.js';
import { withStores } from '../../stores.js';

interface Options {
  units?: number;
  json?: true;
}

/** A command that changes a sale, such as `sale pause`. */
interface Change {
  name: string;
  description: string;
  updateOf(options: Options): SaleUpdate;
}

const PAUSE: Change = {
  name: 'pause',
  description: 'give out no units for now; buyers keep the claims they have',
  updateOf: () => ({ state: 'paused' }),
};
const RESUME: Change = {
  name: 'resume',
  description: 'give out units again, first to buyers on standby',
  updateOf: () => ({ state: 'open' }),
};
const CLOSE: Change = {
  name: 'close',
  description: 'end the sale for good; orders can still be paid',
  updateOf: () => ({ state: 'closed' }),
};
const RESTOCK: Change = {
  name: 'restock',
  description: 'add units, first for buyers on standby',
  updateOf: ({ units = 0 }) => ({ addUnits: units }),
};

/** Adds the commands `sale pause`, `sale resume`, `sale close` and `sale restock`. */
export function addSaleChanges(sale: Command): void {
  for (const change of [PAUSE, RESUME, CLOSE]) addChange(sale, change);
  // --units has no default: each restock adds units, and only the operator knows their number.
  addChange(sale, RESTOCK).requiredOption('--units <n>', 'the number of units to add', parseWhole(1, UNITS_MAX));
}

function addChange(sale: Command, { name, description, updateOf }: Change): Command {
  return sale
    .command(name)
    .description(description)
    .argument('<sale>', 'id of the sale', parseId)
    .option('--json', 'print one line of JSON')
    .action((saleId: string, options: Options) =>
      withStores(async ctx => {
        const { changeSale } = await import('#core/operator/change-sale.js');
        const sale = changed(saleId, await changeSale(ctx, saleId, updateOf(options)));
        if (options.json) printJson(factsOf(sale));
        else print(lineOf(sale));
      }),
    );
}

function factsOf({ sale: { id, state, units }, promoted, inRedis }: ChangedSale): object {
  return { sale: id, state, units, promoted, inRedis };
}

function lineOf({ sale: { id, state, units }, promoted, inRedis }: ChangedSale): string {
  const redis = inRedis
    ? `${promoted} buyers on standby got a unit`
    : 'Redis was not ready, so a worker carries the change over later';
  return `sale ${id} is ${state}, with ${units} units; ${redis}`;
}

function changed(saleId: string, outcome: ChangeOutcome): ChangedSale {
  switch (outcome.kind) {
    case 'unknown_sale':
      throw unknownSale(saleId);
    case 'closed':
      throw new CommandError(`sale ${saleId} is closed, and stays as it is: create another one`);
    case 'changed_meanwhile':
      throw new CommandError(`sale ${saleId} was changed at the same time: look at the sale, and try again`);
    case 'too_many_units':
      throw new CommandError(`sale ${saleId} has ${outcome.units} units, and may have ${UNITS_MAX} at most`);
    case 'changed':
      return outcome;
  }
}

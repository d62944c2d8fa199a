import type { Command } from 'commander';
import { type ChangedSale, type ChangeOutcome, changeSale } from '#core/operator/change-sale.js';
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

/** @param sale gets `pause`, `resume`, `close` and `restock` */
export function addSaleChanges(sale: Command): void {
  addChange(sale, 'pause', 'give out nothing for now; who has a claim keeps it', () => ({ state: 'paused' }));
  addChange(sale, 'resume', 'give out units again, first to those on standby', () => ({ state: 'open' }));
  addChange(sale, 'close', 'end the sale for good; orders can still be paid', () => ({ state: 'closed' }));
  addChange(sale, 'restock', 'add units, first for those on standby', ({ units = 0 }) => ({ addUnits: units }))
    // Each restock adds: only the operator knows how many are meant.
    .requiredOption('--units <n>', 'how many more', parseWhole(1, UNITS_MAX));
}

function addChange(
  sale: Command,
  name: string,
  description: string,
  updateOf: (options: Options) => SaleUpdate,
): Command {
  return sale
    .command(name)
    .description(description)
    .argument('<sale>', 'which', parseId)
    .option('--json', 'one line of JSON')
    .action((saleId: string, options: Options) =>
      withStores(async ctx => tell(saleId, await changeSale(ctx, saleId, updateOf(options)), options.json === true)),
    );
}

function tell(saleId: string, outcome: ChangeOutcome, json: boolean): void {
  const { sale, promoted, inRedis } = changed(saleId, outcome);
  const { state, units } = sale;
  const redis = inRedis
    ? `${promoted} buyers got one from standby`
    : 'Redis was not ready: a worker tells it when it is';
  if (json) printJson({ sale: saleId, state, units, promoted, inRedis });
  else print(`sale ${saleId} is ${state}, with ${units} units; ${redis}`);
}

function changed(saleId: string, outcome: ChangeOutcome): ChangedSale {
  switch (outcome.kind) {
    case 'unknown_sale':
      throw unknownSale(saleId);
    case 'closed':
      throw new CommandError(`sale ${saleId} is closed, and stays as it is: make another one`);
    case 'changed_meanwhile':
      throw new CommandError(`sale ${saleId} was changed meanwhile: look at it, and try again`);
    case 'too_many_units':
      throw new CommandError(`sale ${saleId} has ${outcome.units} units, and may have ${UNITS_MAX} at most`);
    case 'changed':
      return outcome;
  }
}

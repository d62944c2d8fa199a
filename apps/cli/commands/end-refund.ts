import type { Command } from 'commander';
import { formatMoney } from '#core/rules/money.js';
import { CommandError } from '../failure.js';
import { parseOrderId } from '../options.js';
import { print, printJson } from '../print.js';
import { withDatabase } from '../stores.js';

interface Options {
  note: string;
  json?: true;
}

/** Adds the command `end-refund`, which ends a refund that the provider does not make. */
export function addEndRefund(program: Command): void {
  program
    .command('end-refund')
    .description('end a refund that the provider does not make, after you have paid the buyer in another way')
    .argument('<order>', 'id of the order', parseOrderId)
    .requiredOption('--note <text>', 'how the buyer was paid, for the record')
    .option('--json', 'print one line of JSON')
    .action((orderId: string, { note, json }: Options) =>
      withDatabase(async db => {
        const { endRefundsByHand } = await import('#core/postgres/money/due-refunds.js');
        const ended = await endRefundsByHand(db, orderId, note);
        if (ended.length === 0) throw new CommandError(`no refund of order ${orderId} is due`);
        if (json) printJson({ order: orderId, ended });
        else
          for (const one of ended) print(`${formatMoney(one.amountMinor, one.currency)} of order ${orderId} is ended`);
      }),
    );
}

import { type Command, Option } from 'commander';
import { CommandError } from '../failure.js';
import { parseOrderId } from '../options.js';
import { print, printJson } from '../print.js';
import { withStores } from '../stores.js';

interface Options {
  restock: 'yes' | 'no';
  json?: true;
}

/** Adds the command `refund`, which gives the money of a paid order back. */
export function addRefund(program: Command): void {
  program
    .command('refund')
    .description('give the money of a paid order back, to the wallet or through the provider; safe to repeat')
    .argument('<order>', 'id of the order', parseOrderId)
    .addOption(
      // --restock has no default: only the operator knows whether the refunded goods can be sold again.
      new Option('--restock <yes|no>', 'whether the unit returns to stock')
        .choices(['yes', 'no'])
        .makeOptionMandatory(),
    )
    .option('--json', 'print one line of JSON')
    .action((orderId: string, { restock, json }: Options) =>
      withStores(async ctx => {
        const { refundOrder } = await import('#core/operator/refund-order.js');
        const result = await refundOrder(ctx, { orderId, restock: restock === 'yes' });
        if (result.kind === 'unknown_order') throw new CommandError(`there is no order ${orderId}`);
        if (result.kind === 'not_paid') throw new CommandError(`order ${orderId} is ${result.order.status}, not paid`);
        const { buyerId, unit } = result.order;
        if (json) printJson({ order: orderId, buyer: buyerId, unit, status: 'refunded', now: result.now });
        else print(`order ${orderId} of ${buyerId} ${result.now ? 'is' : 'was already'} refunded`);
      }),
    );
}

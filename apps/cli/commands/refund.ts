import { type Command, Option } from 'commander';
import type { PartialRefund } from '#core/postgres/money/refund.js';
import { AMOUNT_MINOR_MAX } from '#core/rules/sale.js';
import { wholeNumber } from '#core/values/number.js';
import { CommandError } from '../failure.js';
import { parseBy, parseOrderId } from '../options.js';
import { print, printJson } from '../print.js';
import { withStores } from '../stores.js';

interface Options {
  restock?: 'yes' | 'no';
  amount?: number;
  refunded: number;
  json?: true;
}

/** Creates the parser of an amount. The order's currency is not known yet, so the message shows the one of an example. */
function parseMinor(min: number): (text: string) => number {
  const what = 'a whole number in minor units, such as 4900 for EUR 49.00,';
  return parseBy(wholeNumber({ min, max: AMOUNT_MINOR_MAX, what }));
}

/** Adds the command `refund`, which gives the money of a paid order back, whole or in part. */
export function addRefund(program: Command): void {
  program
    .command('refund')
    .description('give the money of a paid order back, to the wallet or through the provider; safe to repeat')
    .argument('<order>', 'id of the order', parseOrderId)
    // --restock has no default: only the operator knows whether the refunded goods can be sold again.
    .addOption(
      new Option('--restock <yes|no>', 'refund all that is left; whether the unit returns to stock').choices([
        'yes',
        'no',
      ]),
    )
    .addOption(
      new Option('--amount <minor>', 'give back only this part, in minor units; the order stays paid')
        .argParser(parseMinor(1))
        .conflicts('restock'),
    )
    .option(
      '--refunded <minor>',
      'with --amount: what went back before, so that a repeated command gives the part back once',
      parseMinor(0),
      0,
    )
    .option('--json', 'print one line of JSON')
    .action((orderId: string, options: Options, command: Command) => {
      const { restock, amount, refunded, json } = options;
      if (amount !== undefined) return refundPartially({ orderId, amountMinor: amount, refundedMinor: refunded }, json);
      if (restock === undefined) {
        command.error('say --restock yes or --restock no, or --amount for a part', { exitCode: 2 });
      }
      return refundWhole(orderId, restock, json);
    });
}

function refundWhole(orderId: string, restock: 'yes' | 'no', json?: true): Promise<void> {
  return withStores(async ctx => {
    const { refundOrder } = await import('#core/operator/refund-order.js');
    const result = await refundOrder(ctx, { orderId, restock: restock === 'yes' });
    if (result.kind === 'unknown_order') throw new CommandError(`there is no order ${orderId}`);
    if (result.kind === 'not_paid') throw new CommandError(`order ${orderId} is ${result.order.status}, not paid`);
    const { buyerId, unit } = result.order;
    if (json) printJson({ order: orderId, buyer: buyerId, unit, status: 'refunded', now: result.now });
    else print(`order ${orderId} of ${buyerId} ${result.now ? 'is' : 'was already'} refunded`);
  });
}

function refundPartially(refund: PartialRefund, json?: true): Promise<void> {
  return withStores(async ctx => {
    const { orderId, amountMinor } = refund;
    const { refundOrderPartially } = await import('#core/operator/partial-refund.js');
    const result = await refundOrderPartially(ctx, refund);
    switch (result.kind) {
      case 'unknown_order':
        throw new CommandError(`there is no order ${orderId}`);
      case 'not_paid':
        throw new CommandError(`order ${orderId} is ${result.order.status}, not paid`);
      case 'too_much':
        throw new CommandError(
          `only ${result.restMinor} is left of order ${orderId}: a part is less, and --restock refunds all of it`,
        );
      case 'changed_meanwhile':
        throw new CommandError(
          `${result.refundedMinor} of order ${orderId} went back already: say --refunded ${result.refundedMinor} to give back more`,
        );
    }
    const { buyerId, unit } = result.order;
    const { refundedMinor } = result;
    if (json) printJson({ order: orderId, buyer: buyerId, unit, status: 'paid', amountMinor, refundedMinor });
    else print(`${amountMinor} of order ${orderId} of ${buyerId} is given back, ${refundedMinor} in all`);
  });
}

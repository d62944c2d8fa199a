import { type Command, Option } from 'commander';
import type { PartialRefund } from '#core/postgres/money/refund.js';
import { CommandError } from '../failure.js';
import { parseOrderId, parseWhole } from '../options.js';
import { print, printJson } from '../print.js';
import { withStores } from '../stores.js';

interface Options {
  restock?: 'yes' | 'no';
  amount?: number;
  refunded: number;
  json?: true;
}

/** The largest amount of one command, in minor units: far above any price, and exact as a number. */
const AMOUNT_MAX = 1_000_000_000_000;

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
        .argParser(parseWhole(1, AMOUNT_MAX))
        .conflicts('restock'),
    )
    .option(
      '--refunded <minor>',
      'with --amount: what went back before, so that a repeated command gives the part back once',
      parseWhole(0, AMOUNT_MAX),
      0,
    )
    .option('--json', 'print one line of JSON')
    .action((orderId: string, options: Options, command: Command) => {
      const { restock, amount, refunded, json } = options;
      if (amount !== undefined) return refundPart({ orderId, amountMinor: amount, refundedMinor: refunded }, json);
      if (restock === undefined) command.error('error: say --restock yes or --restock no, or --amount for a part');
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

function refundPart(refund: PartialRefund, json?: true): Promise<void> {
  return withStores(async ctx => {
    const { orderId, amountMinor } = refund;
    const { refundOrderInPart } = await import('#core/operator/refund-part.js');
    const result = await refundOrderInPart(ctx, refund);
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

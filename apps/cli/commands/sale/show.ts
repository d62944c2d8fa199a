import type { Command } from 'commander';
import type { SaleOverview } from '#core/operator/sale-overview.js';
import { formatMoney } from '#core/rules/money.js';
import { standbyCap } from '#core/rules/sale.js';
import { unknownSale } from '../../failure.js';
import { parseId } from '../../options.js';
import { factLines, print, printJson } from '../../print.js';
import { withStores } from '../../stores.js';

/** Adds the command `sale show`, which prints the settings and counts of one sale. */
export function addSaleShow(sale: Command): void {
  sale
    .command('show')
    .description('show one sale, with its counts')
    .argument('<sale>', 'id of the sale', parseId)
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { json }: { json?: true }) =>
      withStores(async ctx => {
        const { overviewOf } = await import('#core/operator/sale-overview.js');
        const { readSale } = await import('#core/postgres/sales.js');
        const found = await readSale(ctx.db, saleId);
        if (!found) throw unknownSale(saleId);
        const overview = await overviewOf(ctx, found);
        if (json) printJson(overview);
        else print(...linesOf(overview));
      }),
    );
}

function linesOf(sale: SaleOverview): string[] {
  return [
    `sale ${sale.id}: ${sale.title}`,
    ...factLines({
      phase: sale.phase,
      price: formatMoney(sale.priceMinor, sale.currency),
      opening: sale.opening,
      'hidden until': sale.announceAt ?? '-',
      joins: sale.joinsAt ?? '-',
      opens: sale.opensAt,
      closes: sale.closesAt,
      'pay within': `${sale.payWithinSeconds} s`,
      'pay a unit that came back within': `${sale.retryPayWithinSeconds ?? sale.payWithinSeconds} s`,
      'coarse stock': sale.coarseStock ? 'yes' : 'no',
      settlement: sale.settlement,
      provider: sale.provider,
      'late money': sale.lateMoney,
      'in Redis': sale.inRedis,
      units: sale.units,
      free: sale.free ?? '-',
      'on standby': `${sale.waiting ?? '-'} of ${standbyCap(sale)}`,
      'one purchase at a time': sale.onePurchaseAtATime ? 'yes' : 'no',
      'pause between purchases': `${sale.minSecondsBetweenPurchases} s`,
      'not placed yet': sale.unplaced ?? '-',
      'live orders': sale.orders.live,
      paid: sale.orders.paid,
      cancelled: sale.orders.cancelled,
    }),
  ];
}

import type { Command } from 'commander';
import type { SaleOverview } from '#core/operator/sale-overview.js';
import { formatMoney } from '#core/rules/money.js';
import { print, printJson, tableOf } from '../../print.js';
import { withStores } from '../../stores.js';

const HEADINGS = [
  'sale',
  'phase',
  'units',
  'free',
  'live',
  'paid',
  'standby',
  'price',
  'opening',
  'announced',
  'joins',
  'opens',
  'closes',
];

/** Adds the command `sale list`, which prints one line for each sale. */
export function addSaleList(sale: Command): void {
  sale
    .command('list')
    .description('list every sale, the newest first')
    .option('--json', 'print one line of JSON')
    .action(({ json }: { json?: true }) =>
      withStores(async ctx => {
        const { overviewsOf } = await import('#core/operator/sale-overview.js');
        const { readSales } = await import('#core/postgres/sales.js');
        const overviews = await overviewsOf(ctx, await readSales(ctx.db));
        if (json) printJson(overviews);
        else if (overviews.length === 0) print('there are no sales yet: `npm run cli -- sale create --help`');
        else print(...tableOf([HEADINGS, ...overviews.map(rowOf)]));
      }),
    );
}

function rowOf(sale: SaleOverview): string[] {
  const counts = [sale.units, sale.free ?? '-', sale.orders.live, sale.orders.paid, sale.waiting ?? '-'];
  const price = formatMoney(sale.priceMinor, sale.currency);
  return [
    sale.id,
    sale.phase,
    ...counts.map(String),
    price,
    sale.opening,
    sale.announceAt ?? '-',
    sale.joinsAt ?? '-',
    sale.opensAt,
    sale.closesAt,
  ];
}

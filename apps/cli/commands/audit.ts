import type { Command } from 'commander';
import type { Audit } from '#core/comparison/audit.js';
import { withBar } from '../bar.js';
import { unknownSale } from '../failure.js';
import { parseId } from '../options.js';
import { factLines, print, printJson } from '../print.js';
import { withStores } from '../stores.js';

/**
 * Adds the command `audit`. It compares a sale in Redis and Postgres, and checks the sale's promises, such as no unit
 * sold twice.
 */
export function addAudit(program: Command): void {
  program
    .command('audit')
    .description('prove that a sale keeps its promises; exit code 1 if one is broken')
    .argument('<sale>', 'id of the sale', parseId)
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { json }: { json?: true }) =>
      withStores(async ({ db, redis }) => {
        const { audit } = await import('#core/comparison/audit.js');
        const result = await withBar(progress => audit(db, redis, saleId, { progress }));
        if (!result) throw unknownSale(saleId);
        if (json) printJson(result);
        else print(...linesOf(result));
        if (!result.ok) process.exitCode = 1;
      }),
    );
}

function linesOf({
  sale,
  ok,
  violations,
  units,
  free,
  claims,
  unplaced,
  waiting,
  orders,
  booksWalkedAt,
}: Audit): string[] {
  return [
    `sale ${sale}: ${ok ? 'every promise holds' : 'PROMISES ARE BROKEN'}`,
    ...violations.map(violation => `  ${violation}`),
    ...factLines({ units, free, claimed: claims, 'not placed yet': unplaced, 'on standby': waiting }),
    ...factLines({
      'orders placed': orders.orders - orders.void,
      live: orders.live,
      paid: orders.paid,
      cancelled: orders.cancelled,
      rejected: orders.rejected,
      refunded: orders.refunded,
      'given up': orders.void,
    }),
    ...factLines({ 'all books read since': booksWalkedAt ?? 'never' }),
  ];
}

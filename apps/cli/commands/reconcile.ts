import type { Command } from 'commander';
import type { Reconciliation } from '#core/maintenance/reconcile.js';
import { withBar } from '../bar.js';
import { unknownSale } from '../failure.js';
import { parseId } from '../options.js';
import { print, printJson } from '../print.js';
import { withStores } from '../stores.js';

interface Options {
  dryRun?: boolean;
  json?: true;
}

/** Adds the command `reconcile`, which compares a sale in Redis and Postgres and repairs the differences. */
export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .description(
      'compare a sale in Redis and Postgres, claim by claim, and repair every difference; the worker does the same',
    )
    .argument('<sale>', 'id of the sale', parseId)
    .option('--dry-run', 'compare, and change nothing')
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { dryRun = false, json }: Options) =>
      withStores(async ctx => {
        const { reconcile } = await import('#core/maintenance/reconcile.js');
        const result = await withBar(progress => reconcile(ctx, saleId, { dryRun, progress }));
        if (!result) throw unknownSale(saleId);
        if (json) printJson({ sale: saleId, dryRun, differences: result.differences, repairs: result.repairs });
        else print(...linesOf(result, { dryRun }));
      }),
    );
}

function linesOf({ saleId, differences, repairs }: Reconciliation, { dryRun }: { dryRun: boolean }): string[] {
  const found = differences.length === 0 ? 'both stores agree' : `${differences.length} differences`;
  const done = dryRun ? 'nothing was changed' : `${repairs.length} repairs`;
  return [
    `sale ${saleId}: ${found}, ${done}`,
    ...differences.map(difference => `  differs   ${JSON.stringify(difference)}`),
    ...repairs.map(({ kind, claimId, detail }) => `  repaired  ${kind} ${claimId ?? ''} ${JSON.stringify(detail)}`),
  ];
}

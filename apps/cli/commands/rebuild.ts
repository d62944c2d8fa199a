import type { Command } from 'commander';
import { rebuild } from '#core/maintenance/rebuild.js';
import { readSale } from '#core/postgres/sales.js';
import { CommandError, unknownSale } from '../failure.js';
import { parseId } from '../options.js';
import { print } from '../print.js';
import { withStores } from '../stores.js';

/** @param program gets `rebuild` */
export function addRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('make a sale in Redis anew from Postgres; it gives out nothing for that moment')
    .argument('<sale>', 'which', parseId)
    .action((saleId: string) =>
      withStores(async ctx => {
        if (!(await readSale(ctx.db, saleId))) throw unknownSale(saleId);
        const claims = await rebuild(ctx, saleId);
        if (claims === undefined) {
          throw new CommandError(
            `sale ${saleId} was rebuilt by a worker at the same time: run \`audit ${saleId}\` to see it`,
          );
        }
        print(`sale ${saleId} is rebuilt in Redis, with ${claims} claims`);
      }),
    );
}

import type { Command } from 'commander';
import { withBar } from '../bar.js';
import { CommandError, unknownSale } from '../failure.js';
import { parseId } from '../options.js';
import { print } from '../print.js';
import { withStores } from '../stores.js';

/** Adds the command `rebuild`, which writes a sale in Redis from scratch, from its state in Postgres. */
export function addRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('rebuild a sale in Redis from Postgres; it sells meanwhile, and is shut for the swap only')
    .argument('<sale>', 'id of the sale', parseId)
    .action((saleId: string) =>
      withStores(async ctx => {
        const { rebuild } = await import('#core/maintenance/rebuild.js');
        const { readSale } = await import('#core/postgres/sales.js');
        if (!(await readSale(ctx.db, saleId))) throw unknownSale(saleId);
        const claims = await withBar(progress => rebuild(ctx, saleId, { progress }));
        if (claims === undefined) {
          throw new CommandError(
            `sale ${saleId} was rebuilt by a worker at the same time: run \`audit ${saleId}\` to check it`,
          );
        }
        print(`sale ${saleId} is rebuilt in Redis, with ${claims} claims`);
      }),
    );
}

import type { Command } from 'commander';
import { print } from '../print.js';
import { withStores } from '../stores.js';

/** Adds the command `move-keys`, which ends an upgrade from a version that named keys in Redis in another way. */
export function addMoveKeys(program: Command): void {
  program
    .command('move-keys')
    .description('after an upgrade: give the keys in Redis their new names, once every process is of this version')
    .action(() =>
      withStores(async ({ redis }) => {
        const { moveKeys } = await import('#core/redis/layout.js');
        const sales = await moveKeys(redis);
        print(sales === undefined ? 'the keys have their new names already' : `the keys of ${sales} sales are moved`);
      }),
    );
}

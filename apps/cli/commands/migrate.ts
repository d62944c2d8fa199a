import type { Command } from 'commander';
import { readCommandConfig } from '#core/process/config.js';
import { hostsOf } from '#core/values/postgres-address.js';
import { CommandError, tellOf } from '../failure.js';
import { print } from '../print.js';

/** Adds the command `migrate`, which brings the tables in Postgres up to date. */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the tables in Postgres up to date; safe to repeat')
    .action(async () => {
      const { migrate } = await import('#core/postgres/migrate/migrate.js');
      const { DATABASE_URL } = readCommandConfig(['DATABASE_URL']);
      const { applied } = await migrate(DATABASE_URL).catch(error => {
        throw new CommandError(`Postgres at ${hostsOf(DATABASE_URL)} could not be migrated: ${tellOf(error)}`);
      });
      print(applied.length > 0 ? `applied ${applied.join(', ')}` : 'up to date');
    });
}

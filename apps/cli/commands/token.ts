import type { Command } from 'commander';
import { readCommandConfig } from '#core/process/config.js';
import { parseBuyerName, parseId } from '../options.js';
import { print } from '../print.js';

/** Adds the command `token`, which prints a signed token that identifies a buyer to the API. */
export function addToken(program: Command): void {
  program
    .command('token')
    .description("print a buyer's token, valid for a day")
    .requiredOption('--buyer <id>', 'the name of the buyer, which becomes `sub`', parseBuyerName)
    .option('--group <id>', "the buyer's group, such as a household, for sales with --per-group", parseId)
    .action(async ({ buyer, group }: { buyer: string; group?: string }) => {
      const { issueToken } = await import('#core/identity/token.js');
      print(issueToken(readCommandConfig(['AUTH_SECRET']).AUTH_SECRET, buyer, { group }));
    });
}

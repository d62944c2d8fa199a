import type { Command } from 'commander';
import { issueToken } from '#core/identity/token.js';
import { readCommandConfig } from '#core/process/config.js';
import { parseId } from '../options.js';
import { print } from '../print.js';

/** @param program gets `token` */
export function addToken(program: Command): void {
  program
    .command('token')
    .description("print a buyer's token, good for a day")
    .requiredOption('--buyer <id>', 'whose', parseId)
    .action(({ buyer }: { buyer: string }) => {
      print(issueToken(readCommandConfig(['AUTH_SECRET']).AUTH_SECRET, buyer));
    });
}

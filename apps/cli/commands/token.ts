import type { Command } from 'commander';
import { readCommandConfig } from '#core/config.js';
import { issueToken } from '#core/token.js';
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

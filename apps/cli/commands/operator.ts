import { type Command, InvalidArgumentError } from 'commander';
import { ROLES, type Role } from '#core/identity/operators.js';
import { createToken, digestOf, entryOf } from '#core/identity/token-holders.js';
import { parseId } from '../options.js';
import { factLines, print, printJson } from '../print.js';

interface NewOperator {
  name: string;
  roles: Role[];
  json?: true;
}

/**
 * Adds the command `operator create`. It creates a token for an operator of the console, and prints it together with
 * the entry for the setting OPERATORS. The token is stored nowhere.
 */
export function addOperator(program: Command): void {
  program
    .command('operator')
    .description('name the operators of the console')
    .command('create')
    .description('create a token for an operator, and print it once with the entry for OPERATORS')
    .requiredOption('--name <name>', 'name of the operator', parseId)
    .requiredOption('--roles <roles>', `roles with commas between them: ${ROLES.join(', ')}`, parseRoles)
    .option('--json', 'print one line of JSON')
    .action(({ name, roles, json }: NewOperator) => {
      const token = createToken();
      const entry = entryOf({ name, roles, digest: digestOf(token) });
      if (json) printJson({ name, roles, token, entry });
      else
        print(...factLines({ token, entry }), `Give ${name} the token, and add the entry to OPERATORS of the admin.`);
    });
}

function parseRoles(text: string): Role[] {
  const roles = ROLES.filter(role => text.split(',').includes(role));
  if (roles.length !== text.split(',').length) {
    throw new InvalidArgumentError(`It must be some of ${ROLES.join(', ')}, with commas between them.`);
  }
  return roles;
}

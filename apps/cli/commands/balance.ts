import type { Command } from 'commander';
import type { Balance } from '#core/postgres/money/wallet.js';
import { formatMoney } from '#core/rules/money.js';
import { parseBuyer, parseCurrency } from '../options.js';
import { print, printJson } from '../print.js';
import { withDatabase } from '../stores.js';

interface Options {
  buyer: string;
  currency?: string;
  json?: true;
}

/** Adds the command `balance`, which prints the money in a buyer's wallet. */
export function addBalance(program: Command): void {
  program
    .command('balance')
    .description("print the money in a buyer's wallet")
    .requiredOption('--buyer <id>', 'the buyer, by id or by the name in the token', parseBuyer)
    .option('--currency <code>', 'only this currency, ISO 4217', parseCurrency)
    .option('--json', 'print one line of JSON, in minor units')
    .action(({ buyer, currency, json }: Options) =>
      withDatabase(async db => {
        const { readBalances } = await import('#core/postgres/money/wallet.js');
        const all = await readBalances(db, buyer);
        const balances = currency === undefined ? all : chosen(all, currency);
        if (json) printJson({ buyer, balances });
        else if (balances.length === 0)
          print(`${buyer} has no wallet: \`npm run cli -- credit --buyer ${buyer}\` makes one`);
        else print(...balances.map(({ balanceMinor, currency }) => formatMoney(balanceMinor, currency)));
      }),
    );
}

/** Picks a buyer's balance in one currency. A buyer who never had money in that currency has a balance of 0. */
function chosen(all: Balance[], currency: string): Balance[] {
  return [all.find(balance => balance.currency === currency) ?? { currency, balanceMinor: 0 }];
}

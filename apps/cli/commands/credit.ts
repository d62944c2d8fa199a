import type { Command } from 'commander';
import { AMOUNT_MINOR_MAX } from '#core/rules/sale.js';
import { parseBuyer, parseCurrency, parseWhole } from '../options.js';
import { print } from '../print.js';
import { withDatabase } from '../stores.js';

interface Options {
  buyer: string;
  amount: number;
  currency: string;
}

/** Adds the command `credit`, which puts money into a buyer's wallet. */
export function addCredit(program: Command): void {
  program
    .command('credit')
    .description("put money into a buyer's wallet and print the new balance, in minor units")
    .requiredOption('--buyer <id>', 'the buyer, by id or by the name in the token', parseBuyer)
    .requiredOption('--amount <minor>', 'the amount, in minor units', parseWhole(1, AMOUNT_MINOR_MAX))
    .option('--currency <code>', 'ISO 4217', parseCurrency, 'EUR')
    .action(({ buyer, amount, currency }: Options) =>
      withDatabase(async db => {
        const { creditWallets, readBalance } = await import('#core/postgres/money/wallet.js');
        await creditWallets(db, [buyer], { amountMinor: amount, currency });
        print(String(await readBalance(db, buyer, currency)));
      }),
    );
}

import type { Command } from 'commander';
import { parseAmount, parseBuyer, parseCurrency } from '../options.js';
import { print } from '../print.js';
import { withDatabase } from '../stores.js';

/** The flags of the option for the amount, which is parsed once the currency is known. */
const AMOUNT = '--amount <minor>';

interface Options {
  buyer: string;
  amount: string;
  currency: string;
}

/** Adds the command `credit`, which puts money into a buyer's wallet. */
export function addCredit(program: Command): void {
  program
    .command('credit')
    .description("put money into a buyer's wallet and print the new balance, in minor units")
    .requiredOption('--buyer <id>', 'the buyer, by id or by the name in the token', parseBuyer)
    .requiredOption(AMOUNT, 'the amount, in minor units')
    .option('--currency <code>', 'ISO 4217', parseCurrency, 'EUR')
    .action(({ buyer, amount, currency }: Options, command: Command) => {
      const amountMinor = parseAmount(command, AMOUNT, { text: amount, currency, min: 1 });
      return withDatabase(async db => {
        const { creditWallets, readBalance } = await import('#core/postgres/money/wallet.js');
        await creditWallets(db, [buyer], { amountMinor, currency });
        print(String(await readBalance(db, buyer, currency)));
      });
    });
}

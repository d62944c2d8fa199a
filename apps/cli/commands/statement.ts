import type { Command } from 'commander';
import type { StatementLine } from '#core/postgres/money/statement.js';
import { formatMoney } from '#core/rules/money.js';
import { parseBuyer, parseWhole } from '../options.js';
import { print, printJson, tableOf } from '../print.js';
import { withDatabase } from '../stores.js';

/** The default number of wallet movements that `statement` prints, one on each line: few enough for a terminal. */
const LINES = 100;
/** The most wallet movements that `statement` prints: about 1 MB of text. */
const LINES_MAX = 10_000;

const HEADINGS = ['when', 'what', 'amount', 'balance', 'sale', 'order'];

interface Options {
  buyer: string;
  last: number;
  json?: true;
}

/** Adds the command `statement`, which lists the movements of a buyer's wallet. */
export function addStatement(program: Command): void {
  program
    .command('statement')
    .description("list every movement of a buyer's wallet, with the balance after each")
    .requiredOption('--buyer <id>', 'the buyer, by id or by the name in the token', parseBuyer)
    .option('--last <n>', 'the number of lines, the newest ones', parseWhole(1, LINES_MAX), LINES)
    .option('--json', 'print one line of JSON, in minor units')
    .action(({ buyer, last, json }: Options) =>
      withDatabase(async db => {
        const { readStatement } = await import('#core/postgres/money/statement.js');
        const lines = await readStatement(db, buyer, last);
        if (json) printJson({ buyer, lines });
        else if (lines.length === 0) print(`${buyer} has no movements of money yet`);
        else print(...tableOf([HEADINGS, ...lines.map(rowOf)]));
      }),
    );
}

function rowOf({ at, kind, amountMinor, balanceMinor, currency, saleId, orderId }: StatementLine): string[] {
  const amount = formatMoney(amountMinor, currency);
  return [at, kind, amount, formatMoney(balanceMinor, currency), saleId ?? '-', orderId ?? '-'];
}

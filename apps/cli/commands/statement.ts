import type { Command } from 'commander';
import { readStatement, type StatementLine } from '#core/postgres/money/statement.js';
import { formatMoney } from '#core/rules/money.js';
import { parseId, parseWhole } from '../options.js';
import { print, printJson, tableOf } from '../print.js';
import { withDatabase } from '../stores.js';

const LINES = 100;
const LINES_MAX = 10_000;

const HEADINGS = ['when', 'what', 'amount', 'balance', 'sale', 'order'];

interface Options {
  buyer: string;
  last: number;
  json?: true;
}

/** @param program gets `statement` */
export function addStatement(program: Command): void {
  program
    .command('statement')
    .description("every movement of a buyer's wallet, with the balance after it")
    .requiredOption('--buyer <id>', 'whose', parseId)
    .option('--last <n>', 'the newest so many', parseWhole(1, LINES_MAX), LINES)
    .option('--json', 'one line of JSON, in minor units')
    .action(({ buyer, last, json }: Options) =>
      withDatabase(async db => {
        const lines = await readStatement(db, buyer, last);
        if (json) printJson({ buyer, lines });
        else if (lines.length === 0) print(`nothing has moved in a wallet of ${buyer} yet`);
        else print(...tableOf([HEADINGS, ...lines.map(rowOf)]));
      }),
    );
}

function rowOf({ at, kind, amountMinor, balanceMinor, currency, saleId, orderId }: StatementLine): string[] {
  const amount = formatMoney(amountMinor, currency);
  return [at, kind, amount, formatMoney(balanceMinor, currency), saleId ?? '-', orderId ?? '-'];
}

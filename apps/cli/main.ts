import { Command, CommanderError } from 'commander';
import { addAudit } from './commands/audit.js';
import { addBalance } from './commands/balance.js';
import { addCredit } from './commands/credit.js';
import { addDrawExport } from './commands/draw/export.js';
import { addDrawShow } from './commands/draw/show.js';
import { addDrawValue } from './commands/draw/value.js';
import { addDrawVerify } from './commands/draw/verify.js';
import { addEndRefund } from './commands/end-refund.js';
import { addMigrate } from './commands/migrate.js';
import { addMoveKeys } from './commands/move-keys.js';
import { addOperator } from './commands/operator.js';
import { addRebuild } from './commands/rebuild.js';
import { addReconcile } from './commands/reconcile.js';
import { addRefund } from './commands/refund.js';
import { addSaleChanges } from './commands/sale/change.js';
import { addSaleCreate } from './commands/sale/create.js';
import { addSaleList } from './commands/sale/list.js';
import { addSaleShow } from './commands/sale/show.js';
import { addSignals } from './commands/sale/signals.js';
import { addStatement } from './commands/statement.js';
import { addToken } from './commands/token.js';
import { tellOf } from './failure.js';

/**
 * The exit code for a wrong command line. 0 means success; 1 means that the command failed, or that a check found
 * violations.
 */
const USAGE_EXIT = 2;

function buildProgram(): Command {
  const program = new Command('npm run cli --')
    .description(
      'Dropline, for its operator. REDIS_URL, DATABASE_URL and AUTH_SECRET default to those of the stack that runs from this clone.',
    )
    .exitOverride()
    .configureOutput({
      // Commander prints its suggestion on a second line. Here an error is one line, so both are joined.
      outputError: (text, write) =>
        write(
          `${text
            .trim()
            .replace(/^error: /, '')
            .replace(/\s*\n\s*/g, ' ')}\n`,
        ),
    });
  const sale = program.command('sale').description('create, show and change sales');
  addSaleCreate(sale);
  addSaleChanges(sale);
  addSaleList(sale);
  addSaleShow(sale);
  const draw = program.command('draw').description('show, decide, export and verify the lots of a sale');
  addDrawShow(draw);
  addDrawValue(draw);
  addDrawExport(draw);
  addDrawVerify(draw);
  addToken(program);
  addOperator(program);
  addCredit(program);
  addBalance(program);
  addStatement(program);
  addRefund(program);
  addEndRefund(program);
  addSignals(program);
  addAudit(program);
  addReconcile(program);
  addRebuild(program);
  addMigrate(program);
  addMoveKeys(program);
  return program;
}

async function run(args: string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has already printed the error or the help text. --help throws too, with the exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT;
    process.stderr.write(`${tellOf(error)}\n`);
    return 1;
  }
}

// The reader of a pipe may close it early, as in `sale list | head -1`. Then the command ends without an error.
process.stdout.on('error', () => process.exit());
const exitCode = await run(process.argv.slice(2));
// The process exits explicitly, after its output is written: a client of a Redis or Postgres that is down could keep it
// alive.
process.stdout.write('', () => process.exit(exitCode));

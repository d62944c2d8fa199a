import type { Command } from 'commander';
import type { DecideOutcome } from '#core/operator/decide-draw.js';
import { publicValue } from '#core/values/text.js';
import { CommandError } from '../../failure.js';
import { parseBy, parseId } from '../../options.js';
import { print, printJson } from '../../print.js';
import { withDatabase } from '../../stores.js';
import { noDraw } from './no-draw.js';

interface Options {
  value: string;
  substitute?: true;
  json?: true;
}

/** Adds the command `draw value`, by which the public value decides the order of a draw. */
export function addDrawValue(draw: Command): void {
  draw
    .command('value')
    .description('let the public value that the sale has announced decide its order; this cannot be taken back')
    .argument('<sale>', 'id of the sale', parseId)
    .requiredOption(
      '--value <text>',
      'the value, written as the announced words say: 1 to 256 characters',
      parseBy(publicValue),
    )
    .option('--substitute', 'it is the announced substitute, as the first value never came')
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { value, substitute, json }: Options) =>
      withDatabase(async db => {
        const { decideByHand } = await import('#core/operator/decide-draw.js');
        const drawn = { value, isSubstitute: substitute === true };
        const { source, entries } = decided(saleId, await decideByHand(db, saleId, drawn));
        if (json) return printJson({ sale: saleId, ...drawn, source, entries });
        print(
          `the order of the ${entries} entries of sale ${saleId} is decided by "${value}" (${source})`,
          'within seconds a worker makes the order, offers the units to its first buyers, and publishes the seed',
        );
      }),
    );
}

function decided(saleId: string, outcome: DecideOutcome): Extract<DecideOutcome, { kind: 'decided' }> {
  switch (outcome.kind) {
    case 'no_draw':
      throw noDraw(saleId);
    case 'no_source':
      throw new CommandError(`sale ${saleId} has announced no public value: its secret seed alone decides`);
    case 'no_substitute':
      throw new CommandError(`sale ${saleId} has announced no substitute: only its first value may decide`);
    case 'not_beacon':
      throw new CommandError(`sale ${saleId} has announced the value of a beacon: 64 digits 0-9 a-f`);
    case 'ended':
      throw new CommandError(`sale ${saleId} is over: nothing is sold any more`);
    case 'not_closed':
      throw new CommandError(
        `the list of sale ${saleId} may still get entries: give the value after the opening, once \`draw show\` has a root`,
      );
    case 'decided_before':
      throw new CommandError(`the order of sale ${saleId} was decided by "${outcome.value}", and never changes`);
    case 'decided':
      return outcome;
  }
}

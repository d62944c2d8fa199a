import type { Command } from 'commander';
import type { Signals } from '#core/operator/signals.js';
import { unknownSale } from '../../failure.js';
import { parseId, parseWhole } from '../../options.js';
import { factLines, print, printJson, tableOf } from '../../print.js';
import { withDatabase } from '../../stores.js';

/** The default number of buyers and of groups that are listed: few enough for a terminal. */
const LISTED = 20;
/** The most that are listed: about 1 MB of text. */
const LISTED_MAX = 10_000;

/** Adds the command `signals`, which shows what the orders of a sale tell about holding without paying. */
export function addSignals(program: Command): void {
  program
    .command('signals')
    .description('show which buyers and groups of a sale hold units without paying')
    .argument('<sale>', 'id of the sale', parseId)
    .option('--top <n>', 'the number of buyers and of groups in the lists', parseWhole(1, LISTED_MAX), LISTED)
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { top, json }: { top: number; json?: true }) =>
      withDatabase(async db => {
        const { readSignals } = await import('#core/operator/signals.js');
        const { readSale } = await import('#core/postgres/sales.js');
        if (!(await readSale(db, saleId))) throw unknownSale(saleId);
        const signals = await readSignals(db, saleId, top);
        if (json) printJson(signals);
        else print(...linesOf(signals));
      }),
    );
}

function linesOf(signals: Signals): string[] {
  const buyers = signals.buyers.map(({ buyerId, unpaid, gaveUp, live }) => [buyerId, unpaid, gaveUp, live].map(String));
  const groups = signals.topGroups.map(({ group, buyers: members, live, unpaid, gaveUp }) =>
    [group, members, live, unpaid, gaveUp].map(String),
  );
  return [
    `sale ${signals.saleId}`,
    ...factLines({
      'not paid in time': signals.unpaid,
      'given up': signals.gaveUp,
      'buyers with such ends': signals.buyersWithEnds,
      'with two or more': signals.buyersWithRepeatedEnds,
      groups: signals.groups,
      ...(signals.leftOut > 0 ? { 'buyers whose group is not counted': signals.leftOut } : {}),
    }),
    ...(buyers.length > 0 ? ['', ...tableOf([['buyer', 'unpaid', 'given up', 'live'], ...buyers])] : []),
    ...(groups.length > 0 ? ['', ...tableOf([['group', 'buyers', 'live', 'unpaid', 'given up'], ...groups])] : []),
  ];
}

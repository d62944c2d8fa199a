import type { Command } from 'commander';
import type { DrawOverview, DrawState } from '#core/operator/draw-overview.js';
import { parseId } from '../../options.js';
import { factLines, print, printJson } from '../../print.js';
import { withDatabase } from '../../stores.js';
import { noDraw } from './no-draw.js';

const STATES: Record<DrawState, string> = {
  joining: 'joining: the list may still get entries',
  closed: 'closed: the list is complete, and a worker makes its order',
  waiting: 'waits for its public value: `draw value` gives it, `sale close` ends the sale',
  decided: 'decided: a worker makes the order',
  dealt: 'dealt: the units were offered to the first buyers',
  ended: 'ended before there was an order: nothing was sold',
};

/** Adds the command `draw show`, which prints the facts of a draw. It needs Postgres only. */
export function addDrawShow(draw: Command): void {
  draw
    .command('show')
    .description('show how far the draw of a sale is, and what is published of it')
    .argument('<sale>', 'id of the sale', parseId)
    .option('--json', 'print one line of JSON')
    .action((saleId: string, { json }: { json?: true }) =>
      withDatabase(async db => {
        const { drawOverviewOf } = await import('#core/operator/draw-overview.js');
        const overview = await drawOverviewOf(db, saleId);
        if (!overview) throw noDraw(saleId);
        if (json) printJson(overview);
        else print(...linesOf(overview));
      }),
    );
}

function linesOf(draw: DrawOverview): string[] {
  return [
    `draw of sale ${draw.saleId}: ${STATES[draw.state]}`,
    ...factLines({
      opening: draw.opening,
      joins: draw.joinsAt,
      opens: draw.opensAt,
      'in the line': draw.waiting,
      'entries published': draw.entries ?? '-',
      'late entries': draw.late,
      commitment: draw.commitment,
      root: draw.root ?? '-',
      'public value of': draw.valueSource ?? 'none: who knows the seed could foresee the order',
      'or instead of': draw.valueSubstitute ?? '-',
      value: drawnValue(draw),
      seed: draw.seed ?? 'secret until the order is decided',
    }),
  ];
}

function drawnValue({ value, isSubstitute, valueSource }: DrawOverview): string {
  if (value === undefined || valueSource === undefined) return '-';
  return isSubstitute ? `${value} (the substitute)` : value;
}

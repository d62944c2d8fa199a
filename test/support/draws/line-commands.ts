import fc from 'fast-check';
import { drawLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { restoreEntry } from '#core/redis/draw/entries.js';
import type { Sale } from '#core/rules/sale.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { promoteWaiting } from '#core/steps/release-units.js';
import { wordsOf } from '../model/buyer-commands.js';
import { buyer } from '../model/command.js';
import type { TestStores } from '../stores/stores.js';
import type { LineModel } from './line-model.js';
import { join, letOpen, readLots } from './lines.js';

/** A draw, in both stores and in the model. */
export interface LineRun {
  t: TestStores;
  sale: Sale;
  model: LineModel;
}

/** A command: it acts on the stores and on the model, and returns both answers. */
export type LineCommand = (run: LineRun) => Promise<{ answer: unknown; expected: unknown }>;

const named =
  <T>(name: string, act: (run: LineRun, given: T) => ReturnType<LineCommand>) =>
  (given: T) => {
    const says = `${name} ${JSON.stringify(given)}`;
    return Object.assign<LineCommand, fc.WithToStringMethod>(run => act(run, given), {
      [fc.toStringMethod]: () => says,
    });
  };

const NOTHING = { answer: undefined, expected: undefined };

/** The units of a claim that was just won are placed at once, so that a lost Redis does not lose it. */
const place = ({ t, sale }: LineRun) => placeWaiting(t, { saleId: sale.id });

const joining = buyer.map(
  named('join', async (run, buyerId) => {
    const [outcome] = await join(run.t, run.sale, buyerId);
    await place(run);
    if (!outcome) throw new Error('no outcome');
    const number = outcome.kind === 'joined' ? outcome.entry : undefined;
    const answer = outcome.kind === 'won' || outcome.kind === 'held' ? outcome.kind : wordsOf(outcome);
    return { answer, expected: run.model.join(buyerId, number) };
  }),
);

const leaving = buyer.map(
  named('leave', async ({ t, sale, model }, buyerId) => ({
    answer: await leaveStandby(t.redis, sale.id, buyerId),
    expected: model.leave(buyerId),
  })),
);

const restoring = buyer.map(
  named('restore', async (run, buyerId) => {
    const { t, sale, model } = run;
    const number = model.receipts.get(buyerId);
    const answer = number !== undefined && (await restoreEntry(t.redis, sale.id, { buyerId, number }));
    const expected = model.restore(buyerId);
    if (expected) await keepEntries(t, sale.id);
    if (model.phase === 'ordered') await promoteWaiting(t, sale.id);
    if (model.phase === 'ordered') model.deal();
    await place(run);
    return { answer, expected };
  }),
);

const keeping = fc.constant('entries').map(
  named('keep', async ({ t, sale, model }) => {
    await keepEntries(t, sale.id);
    model.keep();
    return NOTHING;
  }),
);

const opening = fc.constant('the sale').map(
  named('open', async ({ t, sale, model }) => {
    if (model.phase !== 'before') return NOTHING;
    await letOpen(t, sale);
    model.phase = 'opened';
    return NOTHING;
  }),
);

const drawing = fc.constant('lots').map(
  named('draw', async run => {
    const { t, sale, model } = run;
    await drawLots(t, sale.id);
    if (model.phase === 'opened') model.order(await readLots(t, sale));
    else if (model.phase === 'before') model.keep();
    await place(run);
    return NOTHING;
  }),
);

const losing = fc.constant('Redis').map(
  named('lose', async run => {
    const { t, sale, model } = run;
    await t.redis.flushall();
    await rebuild(t, sale.id);
    await promoteWaiting(t, sale.id);
    model.lose();
    await place(run);
    return NOTHING;
  }),
);

const rebuilding = fc.constant('the sale').map(
  named('rebuild', async ({ t, sale, model }) => {
    await rebuild(t, sale.id);
    model.rebuild();
    return NOTHING;
  }),
);

/** Chooses a command about a draw; common ones come more often. */
export const anyLineCommand = fc.oneof(
  { arbitrary: joining, weight: 12 },
  { arbitrary: leaving, weight: 3 },
  { arbitrary: restoring, weight: 4 },
  { arbitrary: keeping, weight: 3 },
  { arbitrary: opening, weight: 1 },
  { arbitrary: drawing, weight: 2 },
  { arbitrary: losing, weight: 1 },
  { arbitrary: rebuilding, weight: 1 },
);

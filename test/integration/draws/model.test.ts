import { test } from '@jest/globals';
import fc from 'fast-check';
import { readStatuses } from '#core/redis/claims/status.js';
import { anyLineCommand } from '../../support/draws/line-commands.js';
import { LineModel } from '../../support/draws/line-model.js';
import { createDraw, readLine, readWinners } from '../../support/draws/lines.js';
import { BUYERS } from '../../support/model/command.js';
import { same } from '../../support/model/run.js';
import { useStores } from '../../support/stores/stores.js';

// MODEL_COMMANDS=100000 runs for a night; MODEL_SEED repeats a failure.
const COMMANDS = Number(process.env.MODEL_COMMANDS ?? 1_200);
const SEED = process.env.MODEL_SEED === undefined ? Date.now() : Number(process.env.MODEL_SEED);
const RUN_LENGTH = 40;

const t = useStores();

test(
  `both stores agree with the model of a draw after any sequence of commands (seed ${SEED})`,
  async () => {
    const lists = fc.array(anyLineCommand, { minLength: 1, maxLength: RUN_LENGTH, size: 'max' });
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 4 }), lists, async (units, commands) => {
      await t.redis.flushall();
      const sale = await createDraw(t, { units, standbyFactor: 50 });
      const run = { t, sale, model: new LineModel(units) };
      for (const command of commands) {
        const { answer, expected } = await command(run);
        same(answer, expected);
        same(await readLine(t, sale), run.model.line());
        same(await readWinners(t, sale), [...run.model.winners].sort());
        const statuses = await readStatuses(t.redis, sale.id, BUYERS);
        same(
          statuses.map(({ claim, ...status }) => ({ isWinner: claim !== undefined, ...status })),
          BUYERS.map(buyerId => run.model.statusOf(buyerId)),
        );
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: Math.ceil((2 * COMMANDS) / RUN_LENGTH) });
  },
  Math.max(120_000, 60 * COMMANDS),
);

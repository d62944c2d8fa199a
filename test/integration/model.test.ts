import { afterAll, beforeAll, test } from '@jest/globals';
import fc from 'fast-check';
import type { Redis } from '#core/redis/connection.js';
import { dropSale } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import { anyCommand } from '../support/model/any-command.js';
import { expectSound, Listener, openRun, readPicture, same } from '../support/model/both-worlds.js';
import type { Run } from '../support/model/command.js';
import { explain } from '../support/model/explain.js';
import { useStores } from '../support/stores/stores.js';

// MODEL_COMMANDS=1000000 for a long night; MODEL_SEED to see a failure again.
const COMMANDS = Number(process.env.MODEL_COMMANDS ?? 15_000);
const SEED = process.env.MODEL_SEED === undefined ? Date.now() : Number(process.env.MODEL_SEED);
const RUN_LENGTH = 100;
/** Most of what goes wrong between commands, two of them can do; more find it sooner. */
const BURST = { minLength: 2, maxLength: 8 };
const BURSTS_OF_A_RUN = 20;
/** Of the commands, so many run in bursts, too: they take longer. */
const PART_IN_BURSTS = 1 / 3;

let listener: Listener;
const connections: Redis[] = [];
// Said before the stores are: what listens goes first.
afterAll(() => {
  listener?.stop();
  for (const redis of connections.slice(1)) redis.disconnect();
});

const t = useStores();

beforeAll(async () => {
  listener = await Listener.start(t.redis);
  connections.push(t.redis);
  for (let i = 1; i < 3; i += 1) {
    const redis = t.redis.duplicate({ enableOfflineQueue: true });
    defineScripts(redis);
    connections.push(redis);
  }
  // Nothing is restarted here, and waiting for the disk would be most of the time.
  await t.redis.config('SET', 'appendfsync', 'no');
});

const terms = fc.record({
  units: fc.integer({ min: 1, max: 6 }),
  standbyFactor: fc.integer({ min: 0, max: 2 }),
  onePurchaseAtATime: fc.boolean(),
  hasPause: fc.boolean(),
});

/** Expects of a new sale that whatever is done to it, Redis and the model stay the same. */
async function check<T>(
  things: fc.Arbitrary<T>,
  perRun: number,
  runs: number,
  execute: (run: Run, thing: T) => Promise<void>,
): Promise<void> {
  const lists = fc.array(things, { minLength: 1, maxLength: perRun, size: 'max' });
  const property = fc.asyncProperty(terms, lists, async (terms, list) => {
    const run = await openRun(t.redis, terms);
    await listener.follow(run);
    for (const thing of list) await execute(run, thing);
    await dropSale(t.redis, run.sale.id);
  });
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(runs) });
}

test(
  `whatever is done in whatever order, Redis agrees with the model and every unit is there once (seed ${SEED})`,
  () =>
    check(anyCommand, RUN_LENGTH, (2 * COMMANDS) / RUN_LENGTH, async (run, command) => {
      const step = command.prepare(run);
      if (!step) return;
      const answer = await step.ask(t.redis);
      same(answer.told, step.expect(run.model, answer));
      run.won.push(...(answer.won ?? []));
      const [picture] = await Promise.all([readPicture(t.redis, run), listener.agree(run)]);
      same(picture, run.model.picture());
      expectSound(picture, run.model);
    }),
  Math.max(60_000, 30 * COMMANDS),
);

const bursts = fc.array(anyCommand, BURST);
const commandsOfARun = (BURSTS_OF_A_RUN / 2) * ((BURST.minLength + BURST.maxLength) / 2);

test(
  `what is done at the same time on several connections comes to the same as in some order (seed ${SEED})`,
  () =>
    check(bursts, BURSTS_OF_A_RUN, (PART_IN_BURSTS * COMMANDS) / commandsOfARun, async (run, commands) => {
      // All are prepared before the first of them is carried out.
      const steps = commands.flatMap(({ says, prepare }) => {
        const step = prepare(run);
        return step ? [{ says, step }] : [];
      });
      const asking = steps.map(async ({ says, step }, i) => {
        const answer = await step.ask(connections[i % connections.length] as Redis);
        return { says, step, answer };
      });
      const done = await Promise.all(asking);
      const picture = await readPicture(t.redis, run);
      run.model = explain(run.model, done, picture);
      run.won.push(...done.flatMap(({ answer }) => answer.won ?? []));
      expectSound(picture, run.model);
      await listener.agree(run);
    }),
  Math.max(60_000, 30 * COMMANDS),
);

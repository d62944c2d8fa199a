import { afterAll, beforeAll, test } from '@jest/globals';
import fc from 'fast-check';
import { connectRedis, type Redis } from '#core/redis/connection.js';
import { dropSale } from '#core/redis/sale/sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import { anyCommand } from '../support/model/any-command.js';
import type { Run } from '../support/model/command.js';
import { explain } from '../support/model/explain.js';
import { Listener } from '../support/model/listener.js';
import { createRun, expectSound, readPicture, same } from '../support/model/run.js';
import { useStores } from '../support/stores/stores.js';

// MODEL_COMMANDS=1000000 runs for a night; MODEL_SEED repeats a failure.
const COMMANDS = Number(process.env.MODEL_COMMANDS ?? 6_000);
const SEED = process.env.MODEL_SEED === undefined ? Date.now() : Number(process.env.MODEL_SEED);
const RUN_LENGTH = 100;
/** Two commands at once can show most races; more commands find them sooner. */
const BURST = { minLength: 2, maxLength: 8 };
const BURSTS_OF_A_RUN = 20;
/** The share of commands that also run in bursts, which take longer. */
const PART_IN_BURSTS = 1 / 3;

let listener: Listener;
const connections: Redis[] = [];
// Registered before `useStores`, so that the listener stops before Redis does.
afterAll(() => {
  listener?.stop();
  for (const redis of connections.slice(1)) redis.disconnect();
});

const t = useStores();

beforeAll(async () => {
  listener = await Listener.start(t.redis);
  connections.push(t.redis);
  for (let i = 1; i < 3; i += 1) {
    const redis = connectRedis(t.redisUrl, 'worker', () => undefined);
    defineScripts(redis);
    connections.push(redis);
  }
  // No test restarts Redis here, and writing to disk would take most of the time.
  await t.redis.config('SET', 'appendfsync', 'no');
});

const terms = fc.record({
  units: fc.integer({ min: 1, max: 6 }),
  standbyFactor: fc.integer({ min: 0, max: 2 }),
  onePurchaseAtATime: fc.boolean(),
  unpaidLimit: fc.integer({ min: 0, max: 2 }),
  perGroup: fc.integer({ min: 0, max: 2 }),
  hasPause: fc.boolean(),
});

/** Expects that Redis and the model stay the same under random commands on a new sale. */
async function check<T>(
  things: fc.Arbitrary<T>,
  perRun: number,
  runs: number,
  execute: (run: Run, thing: T) => Promise<void>,
): Promise<void> {
  const lists = fc.array(things, { minLength: 1, maxLength: perRun, size: 'max' });
  const property = fc.asyncProperty(terms, lists, async (terms, list) => {
    const run = await createRun(t.redis, terms);
    await listener.follow(run);
    for (const thing of list) await execute(run, thing);
    await dropSale(t.redis, run.sale.id);
  });
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(runs) });
}

test(
  `Redis agrees with the model after any sequence of commands, and each unit exists once (seed ${SEED})`,
  () =>
    check(anyCommand, RUN_LENGTH, (2 * COMMANDS) / RUN_LENGTH, async (run, command) => {
      const step = command.prepare(run);
      if (!step) return;
      const answer = await step.ask(t.redis);
      same(answer.outcomes, step.expect(run.model, answer));
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
  `commands at the same time on several connections have the effect of some order of them (seed ${SEED})`,
  () =>
    check(bursts, BURSTS_OF_A_RUN, (PART_IN_BURSTS * COMMANDS) / commandsOfARun, async (run, commands) => {
      // All commands are prepared before the first one runs.
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

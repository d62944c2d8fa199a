import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatClaimRecord } from '#core/claim.js';
import type { Redis } from '#core/redis.js';
import { parseChange } from '#core/stock/changes.js';
import { type ClaimOutcome, claim } from '#core/stock/claims.js';
import { openSale } from '#core/stock/open-sale.js';
import { promote, release } from '#core/stock/release.js';
import { dropSale, restock, setSale } from '#core/stock/sale.js';
import { readSnapshot } from '#core/stock/snapshot.js';
import { leaveStandby } from '#core/stock/standby.js';
import { readStanding } from '#core/stock/standing.js';
import { recordStatus } from '#core/stock/status.js';
import { Mirror } from '../../apps/api/mirror.js';
import { type Expected, pictureOf, SaleModel, unitsOf } from '../support/model.js';
import { aSale, useStores } from '../support/stores.js';

// MODEL_COMMANDS=1000000 for a long night; MODEL_SEED to see a failure again.
const COMMANDS = Number(process.env.MODEL_COMMANDS ?? 15_000);
const SEED = process.env.MODEL_SEED === undefined ? Date.now() : Number(process.env.MODEL_SEED);
const RUN_LENGTH = 100;
/** Few, so that they meet. */
const BUYERS = 8;

let ears: Redis;
// Said before the stores are: what listens goes first.
afterAll(() => ears?.disconnect());

const t = useStores();

/** One sale in both worlds. */
interface Run {
  saleId: string;
  model: SaleModel;
  /** Every claim that there ever was, so that the ones that ended are tried again. */
  won: { buyerId: string; claimId: string }[];
  /** Numbers the claim ids. */
  next: number;
  /** What an API keeps in memory, fed with nothing but what the scripts tell. */
  mirror: Mirror;
}

/** Named, with what it was made of, so that a counterexample can be read. */
interface Command {
  does: string;
  with: unknown;
  execute(run: Run): Promise<void>;
}

const command =
  <T>(does: string, execute: (run: Run, given: T) => Promise<void>) =>
  (given: T): Command => ({ does, with: given, execute: run => execute(run, given) });

const buyer = fc.integer({ min: 1, max: BUYERS }).map(n => `buyer${n}`);
/** Which of the claims that there ever were, as a part of their number: mostly the late ones, which are live. */
const pick = fc.double({ min: 0, max: 1, noNaN: true }).map(part => 1 - part * part);

function picked(run: Run, parts: number[]): Run['won'] {
  return parts.flatMap(part => {
    const one = run.won[Math.min(run.won.length - 1, Math.floor(part * run.won.length))];
    return one ? [one] : [];
  });
}

function told(outcome: ClaimOutcome): Expected {
  switch (outcome.kind) {
    case 'won':
      return `won ${outcome.claim.unit}`;
    case 'held':
      return `held ${outcome.claim.claimId} ${outcome.claim.unit} ${outcome.claim.status}`;
    case 'standby':
      return `standby ${outcome.position}`;
    case 'sold_out':
      return 'sold_out';
    case 'too_soon':
      return `too_soon ${outcome.because}`;
    case 'refused':
      return `refused ${outcome.refusal}`;
  }
}

const claiming = fc.array(buyer, { minLength: 1, maxLength: 12 }).map(
  command('claim', async (run, buyerIds) => {
    const requests = buyerIds.map(buyerId => {
      run.next += 1;
      return { buyerId, claimId: `claim${run.next}` };
    });
    const outcomes = await claim(t.redis, run.saleId, requests);
    const expected = requests.map(({ buyerId, claimId }) => run.model.claim(buyerId, claimId));
    same(outcomes.map(told), expected);
    run.won.push(...outcomes.flatMap(outcome => (outcome.kind === 'won' ? [outcome.claim] : [])));
  }),
);

const releasing = fc
  .tuple(fc.array(pick, { minLength: 1, maxLength: 4 }), fc.constantFrom('cancelled', 'rejected', 'refunded'))
  .map(
    command('release', async (run, [parts, status]) => {
      const claims = picked(run, parts);
      if (claims.length === 0) return;
      const releases = claims.map(one => ({ ...one, status, reason: 'unpaid' as const, freesUnit: true }));
      const outcomes = await release(t.redis, run.saleId, releases);
      for (const [i, outcome] of outcomes.entries()) {
        const { buyerId, claimId } = claims[i] as Run['won'][number];
        const promoted = outcome.kind === 'promoted' ? outcome.claim : undefined;
        const got = promoted ? `promoted ${promoted.buyerId} ${promoted.unit}` : outcome.kind;
        expect(got).toBe(run.model.release(buyerId, claimId, status, promoted?.claimId));
        if (promoted) run.won.push(promoted);
      }
    }),
  );

const recording = fc
  .tuple(
    fc.array(pick, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('queued', 'pending_payment', 'paid'),
    fc.constantFrom(undefined, 'insufficient_funds'),
  )
  .map(
    command('record-status', async (run, [parts, status, reason]) => {
      const claims = picked(run, parts);
      if (claims.length === 0) return;
      const records = claims.map(one => ({ ...one, status, payByMs: 1_000, reason: reason ?? null }));
      const held = await recordStatus(t.redis, run.saleId, records);
      const expected = claims.map(one => run.model.recordStatus(one.buyerId, one.claimId, status, 1_000, reason));
      same(held.map(String), expected);
    }),
  );

const promoting = fc.constant('all').map(
  command('promote', async run => {
    const promoted = await promote(t.redis, run.saleId);
    const expected = run.model.promote(promoted.map(one => one.claimId));
    expect(promoted.map(({ buyerId, unit }) => `${buyerId} ${unit}`)).toEqual(expected);
    run.won.push(...promoted);
  }),
);

const restocking = fc.integer({ min: -1, max: 2 }).map(
  command('restock', async (run, more) => {
    const units = run.model.units + more;
    const { standbyFactor } = run.model;
    expect(await restock(t.redis, { id: run.saleId, units, standbyFactor })).toBe(run.model.restock(units));
  }),
);

const switching = fc.constantFrom('open', 'open', 'open', 'paused', 'closed').map(
  command('set-sale', async (run, state) => {
    expect(await setSale(t.redis, run.saleId, { state })).toBe(true);
    run.model.state = state;
  }),
);

const leaving = buyer.map(
  command('leave-standby', async (run, buyerId) => {
    expect(await leaveStandby(t.redis, run.saleId, buyerId)).toBe(run.model.leaveStandby(buyerId));
  }),
);

const anything = fc.oneof(
  { arbitrary: claiming, weight: 8 },
  { arbitrary: releasing, weight: 6 },
  { arbitrary: recording, weight: 4 },
  { arbitrary: promoting, weight: 2 },
  { arbitrary: switching, weight: 2 },
  { arbitrary: restocking, weight: 1 },
  { arbitrary: leaving, weight: 1 },
);

/** Jest's comparison tells more, and takes longer than everything else here together: it is asked only for what differs. */
function same(received: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(received, expected)) expect(received).toEqual(expected);
}

/** What was told of changes, in their order. */
const heard: string[] = [];

/** A mirror that was only told of the changes must say of every buyer what the model says. */
async function agreeFromMemory({ model, mirror }: Run): Promise<void> {
  // Its reply comes after everything that was published before it was asked.
  await ears.ping();
  for (const text of heard.splice(0)) expect(mirror.apply(parseChange(text))).toBe(true);
  for (let n = 1; n <= BUYERS; n += 1) {
    const buyerId = `buyer${n}`;
    const held = model.live(buyerId);
    same(mirror.recordOf(buyerId), held && formatClaimRecord(held));
    same(mirror.refusalOf(buyerId), model.refusal(buyerId));
  }
}

async function agree({ saleId, model }: Run): Promise<void> {
  const snapshot = await readSnapshot(t.redis, saleId);
  if (!snapshot) throw new Error(`sale ${saleId} is gone`);
  same(pictureOf(snapshot), model.picture());
  same(
    unitsOf(snapshot),
    Array.from({ length: model.units }, (_, i) => i + 1),
  );
}

beforeAll(async () => {
  ears = t.redis.duplicate({ enableOfflineQueue: true });
  ears.on('pmessage', (_pattern, _channel, text) => heard.push(text));
  await ears.psubscribe('*:changes');
  // Nothing is restarted here, and waiting for the disk would be most of the time.
  await t.redis.config('SET', 'appendfsync', 'no');
});

test(
  `whatever is done in whatever order, Redis agrees with the model and every unit is there once (seed ${SEED})`,
  async () => {
    const runs = fc.array(anything, { minLength: 1, maxLength: RUN_LENGTH, size: 'max' });
    const units = fc.integer({ min: 1, max: 6 });
    const standbyFactor = fc.integer({ min: 0, max: 2 });
    const property = fc.asyncProperty(units, standbyFactor, runs, async (units, standbyFactor, commands) => {
      const sale = aSale({ units, standbyFactor });
      await openSale(t.redis, sale);
      const model = new SaleModel(units, standbyFactor);
      const mirror = new Mirror(await readStanding(t.redis, sale.id));
      const run: Run = { saleId: sale.id, model, won: [], next: 0, mirror };
      for (const { execute } of commands) {
        await execute(run);
        await Promise.all([agree(run), agreeFromMemory(run)]);
      }
      await dropSale(t.redis, sale.id);
    });
    await fc.assert(property, { seed: SEED, numRuns: Math.ceil((2 * COMMANDS) / RUN_LENGTH) });
  },
  Math.max(60_000, 30 * COMMANDS),
);

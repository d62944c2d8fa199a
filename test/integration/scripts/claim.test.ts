import { randomUUID } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import { newClaimId } from '#core/identity/claim-id.js';
import { CLAIM_BATCH_MAX, type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { release } from '#core/redis/claims/release.js';
import { allKeysOf, keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import type { Sale } from '#core/rules/sale.js';
import { createDraw } from '../../support/draws/lines.js';
import { eventually } from '../../support/eventually.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { dumpKeys, expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const ask = (sale: Sale, ...buyerIds: string[]): Promise<ClaimOutcome[]> =>
  claim(
    t.redis,
    sale.id,
    buyerIds.map(buyerId => ({ buyerId, claimId: randomUUID() })),
  );

describe('winning', () => {
  test('units go to buyers in the order of both', async () => {
    const sale = await openTestSale(t, { units: 3 });
    const outcomes = await ask(sale, 'a', 'b', 'c');
    expect(outcomes.map(outcome => outcome.kind === 'won' && [outcome.claim.buyerId, outcome.claim.unit])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
  });

  test('a win is a queued claim, and an entry in the outbox with the time of Redis', async () => {
    const sale = await openTestSale(t);
    const from = await readRedisMs(t.redis);
    const won = await winOne(t, sale, 'a');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('a')).toEqual({ claimId: won.claimId, unit: 1, status: 'queued' });
    expect(snapshot?.outbox.get('a')).toBeGreaterThanOrEqual(from);
    expect(snapshot?.outbox.get('a')).toBeLessThanOrEqual(await readRedisMs(t.redis));
    expect(snapshot?.stock).toEqual([2, 3]);
  });

  test('claiming again returns the same claim and writes nothing', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    const again = await writesNothing(t.redis, () => ask(sale, 'a'));
    expect(again).toEqual([{ kind: 'held', claim: { claimId: won.claimId, unit: 1, status: 'queued' } }]);
  });

  test('the same buyer twice in a batch wins once, and the second request holds the claim', async () => {
    const sale = await openTestSale(t, { units: 3 });
    const [first, other, second] = await ask(sale, 'a', 'b', 'a');
    expect(first).toMatchObject({ kind: 'won', claim: { unit: 1 } });
    expect(other).toMatchObject({ kind: 'won', claim: { unit: 2 } });
    const claimId = first?.kind === 'won' ? first.claim.claimId : '';
    expect(second).toEqual({ kind: 'held', claim: { claimId, unit: 1, status: 'queued' } });
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([3]);
  });

  test('a batch larger than the stock sells every unit and refuses the rest', async () => {
    const sale = await openTestSale(t, { units: 2 });
    expect((await ask(sale, 'a', 'b', 'c')).map(outcome => outcome.kind)).toEqual(['won', 'won', 'sold_out']);
  });

  test('a full batch of 128 is one call', async () => {
    const sale = await openTestSale(t, { units: 200 });
    expect(await win(t, sale, ...buyers(CLAIM_BATCH_MAX))).toHaveLength(CLAIM_BATCH_MAX);
  });

  test('many batches at once never sell a unit twice', async () => {
    const sale = await openTestSale(t, { units: 50 });
    const batches = Array.from({ length: 20 }, (_, i) => win(t, sale, ...buyers(10, `batch${i}-`)));
    const units = (await Promise.all(batches)).flat().map(won => won.unit);
    expect(units.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });
});

describe('winning nothing', () => {
  test('a refused click leaves no trace', async () => {
    const sale = await openTestSale(t, { units: 1 });
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => ask(sale, 'b', 'c', 'b'))).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'sold_out' })),
    );
  });

  test('standby gives positions in order, keeps them, and has a limit', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    const outcomes = await ask(sale, 'a', 'b', 'c', 'b', 'd');
    expect(outcomes.slice(1)).toEqual([
      { kind: 'standby', position: 1 },
      { kind: 'standby', position: 2 },
      { kind: 'standby', position: 1 },
      { kind: 'sold_out' },
    ]);
    const again = await writesNothing(t.redis, () => ask(sale, 'c', 'd'));
    expect(again).toEqual([{ kind: 'standby', position: 2 }, { kind: 'sold_out' }]);
  });

  test('standby keeps the order of the clicks, whatever the buyers’ ids', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 3 });
    await ask(sale, 'a');
    for (const buyerId of ['z', 'y', 'x']) await ask(sale, buyerId);
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['z', 'y', 'x']);
  });

  test('standby of one buyer tells the position again', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    await ask(sale, 'a', 'b');
    expect(await writesNothing(t.redis, () => ask(sale, 'b', 'c'))).toEqual([
      { kind: 'standby', position: 1 },
      { kind: 'sold_out' },
    ]);
  });

  test('a paused sale refuses the buyers on standby, too, and keeps their positions', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    await ask(sale, 'a', 'b');
    await setSale(t.redis, sale.id, { state: 'paused' });
    expect(await writesNothing(t.redis, () => ask(sale, 'b'))).toMatchObject([{ kind: 'refused', refusal: 'paused' }]);
  });

  test('a buyer who gets nothing is 0 in the reply of the script', async () => {
    const sale = await openTestSale(t, { units: 1 });
    await ask(sale, 'a');
    const reply = await runScript(t.redis, 'claim', { keys: allKeysOf(sale.id), args: [`b ${randomUUID()}`] });
    const idStart = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}$/);
    expect(reply).toEqual(['ok', '', String(sale.opensAtMs), idStart, 0]);
  });

  test('a new buyer never overtakes the standby, even when a unit is free', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    await ask(sale, 'a', 'b');
    await t.redis.rpush(keysOf(sale.id).stock, 2);
    expect(await ask(sale, 'c')).toEqual([{ kind: 'standby', position: 2 }]);
  });
});

test('a click in a line whose order is not made is joining it, and wins nothing', async () => {
  const sale = await createDraw(t, { units: 2 });
  await t.redis.hset(keysOf(sale.id).sale, 'opensAtMs', 1, 'joinsAtMs', 0);
  expect(await ask(sale, 'a', 'b')).toEqual([
    { kind: 'joined', entry: undefined, isBeforeOpening: false },
    { kind: 'joined', entry: undefined, isBeforeOpening: false },
  ]);
  expect(await t.redis.llen(keysOf(sale.id).stock)).toBe(2);
});

describe('the window', () => {
  /** Longer than opening the sale and the first click take on a busy machine. */
  const OPENS_IN_MS = 1_000;
  const CLOSES_IN_MS = 2_000;

  test('a sale opens and closes by the clock of Redis', async () => {
    const now = await readRedisMs(t.redis);
    const sale = await openTestSale(t, { opensAtMs: now + OPENS_IN_MS, closesAtMs: now + CLOSES_IN_MS, units: 1_000 });
    const refused = await writesNothing(t.redis, () => ask(sale, 'early'));
    expect(refused).toEqual([{ kind: 'refused', refusal: 'not_open', opensAtMs: now + OPENS_IN_MS }]);
    await eventually(() => winOne(t, sale, 'early'));
    expect(await readRedisMs(t.redis)).toBeGreaterThanOrEqual(now + OPENS_IN_MS);
    await eventually(async () => expect(await ask(sale, randomUUID())).toMatchObject([{ refusal: 'closed' }]));
    expect(await readRedisMs(t.redis)).toBeGreaterThanOrEqual(now + CLOSES_IN_MS);
  });

  test.each([-1, 1])('a clock of the API that is %i h off changes no outcome', async hours => {
    const HOUR_MS = 3_600_000;
    const now = await readRedisMs(t.redis);
    const [open, early, late] = [
      await openTestSale(t, { opensAtMs: now - HOUR_MS / 2, closesAtMs: now + HOUR_MS / 2 }),
      await openTestSale(t, { opensAtMs: now + HOUR_MS / 2, closesAtMs: now + 2 * HOUR_MS }),
      await openTestSale(t, { opensAtMs: now - 2 * HOUR_MS, closesAtMs: now - HOUR_MS / 2 }),
    ];
    jest.spyOn(Date, 'now').mockImplementation(() => now + hours * HOUR_MS);
    const answers = await Promise.all([open, early, late].map(sale => ask(sale, 'a'))).finally(jest.restoreAllMocks);
    expect(answers).toMatchObject([[{ kind: 'won' }], [{ refusal: 'not_open' }], [{ refusal: 'closed' }]]);
  });

  test.each([
    ['paused', 'paused'],
    ['closed', 'closed'],
  ] as const)('a %s sale refuses new buyers, and returns their claims to holders', async (state, refusal) => {
    const sale = await openTestSale(t, { units: 2, standbyFactor: 5 });
    await winOne(t, sale, 'a');
    await setSale(t.redis, sale.id, { state });
    const outcomes = await writesNothing(t.redis, () => ask(sale, 'a', 'b'));
    expect(outcomes).toMatchObject([{ kind: 'held' }, { kind: 'refused', refusal }]);
  });
});

describe('the fence', () => {
  test('a sale that is not loaded is unknown', async () => {
    const outcomes = await writesNothing(t.redis, () => ask({ id: 'nowhere' } as Sale, 'a'));
    expect(outcomes).toEqual([{ kind: 'refused', refusal: 'unknown_sale' }]);
  });

  test('a sale that was verified for another run of Redis refuses every buyer', async () => {
    const sale = await openTestSale(t);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    expect(await writesNothing(t.redis, () => ask(sale, 'a'))).toEqual([{ kind: 'refused', refusal: 'unverified' }]);
  });

  test('an incomplete sale refuses every buyer', async () => {
    const sale = await openTestSale(t);
    await t.redis.hdel(keysOf(sale.id).sale, 'runId');
    expect(await writesNothing(t.redis, () => ask(sale, 'a'))).toEqual([{ kind: 'refused', refusal: 'unverified' }]);
  });
});

describe('a Redis in trouble', () => {
  test('a key of another type fails the batch before its first write', async () => {
    const sale = await openTestSale(t, { units: 2, standbyFactor: 1 });
    await ask(sale, 'a', 'b', 'c');
    await expectTypesChecked(t.redis, Object.values(keysOf(sale.id)), () => ask(sale, 'x', 'y'));
  });

  test('a full Redis refuses the whole batch', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const before = await dumpKeys(t.redis);
    await whileFull(t.redis, () => expect(ask(sale, 'a', 'b')).rejects.toThrow('OOM'));
    expect(await dumpKeys(t.redis)).toEqual(before);
    expect(await win(t, sale, 'a', 'b')).toHaveLength(2);
  });

  test('a Redis without the scripts loads them again', async () => {
    const sale = await openTestSale(t, { units: 20 });
    for (const buyerId of buyers(10)) {
      await t.redis.script('FLUSH');
      await winOne(t, sale, buyerId);
    }
    expect((await readSnapshot(t.redis, sale.id))?.stock).toHaveLength(10);
  });
});

const HOUR_MS = 3_600_000;

test.each([-1, 1])(
  'a claim made by a process whose clock is %i h off is as new as it is by the clock of Redis',
  async hours => {
    const sale = await openTestSale(t, { units: 1 });
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + hours * HOUR_MS);
    const ofWrongClock = newClaimId();
    jest.restoreAllMocks();
    const [first] = await claim(t.redis, sale.id, [{ buyerId: 'a', claimId: ofWrongClock }]);
    if (first?.kind !== 'won') throw new Error('a should have won');
    expect(first.claim.claimId.slice(13)).toBe(ofWrongClock.slice(13));
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.claimId).toBe(first.claim.claimId);
    await release(t.redis, sale.id, [{ ...first.claim, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
    const second = await winOne(t, sale, 'a');
    expect(second.claimId > first.claim.claimId).toBe(true);
  },
);

test('a later claim has the greater id, even if the clock of Redis was set back', async () => {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
  const ahead = 'ffffffff-0000-7000-8000-000000000000';
  await t.redis.hset(keysOf(sale.id).claims, 'a', `${ahead} 1 cancelled - unpaid`);
  const [first, again] = await claim(t.redis, sale.id, [
    { buyerId: 'a', claimId: newClaimId() },
    { buyerId: 'a', claimId: newClaimId() },
  ]);
  if (first?.kind !== 'won') throw new Error('a should have won');
  expect(first.claim).toMatchObject({ unit: 1, claimId: expect.stringMatching(/^ffffffff-0001-7/) });
  expect(again).toMatchObject({ kind: 'held', claim: { claimId: first.claim.claimId, unit: 1 } });
});

test('each winner of a batch has a greater id than before, wherever in the batch', async () => {
  const sale = await openTestSale(t, { units: 3 });
  await t.redis.hset(keysOf(sale.id).claims, 'ahead', 'ffffffff-0000-7000-8000-000000000000 1 cancelled - unpaid');
  const requests = ['new', 'ahead', 'last'].map(buyerId => ({ buyerId, claimId: newClaimId() }));
  const outcomes = await claim(t.redis, sale.id, requests);
  // All claims of one call have one time.
  expect(outcomes).toMatchObject(
    [1, 2, 3].map(unit => ({ kind: 'won', claim: { unit, claimId: expect.stringMatching(/^ffffffff-0001-7/) } })),
  );
});

test('a buyer promoted from standby has a greater id than before', async () => {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
  const [held] = await win(t, sale, 'holder', 'next');
  if (!held) throw new Error('holder should have won');
  await t.redis.hset(keysOf(sale.id).claims, 'next', 'ffffffff-0000-7000-8000-000000000000 1 cancelled - unpaid');
  await release(t.redis, sale.id, [{ ...held, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('next')).toMatchObject({
    claimId: expect.stringMatching(/^ffffffff-0001-7/),
    status: 'queued',
  });
});

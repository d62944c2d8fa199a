import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { JOB_DATA } from '#core/queue/jobs.js';
import { claim } from '#core/redis/claims/claim.js';
import { release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { keysOf } from '#core/redis/keys.js';
import { readScript, type ScriptName } from '#core/redis/scripts.js';
import { parseClaimRecord } from '#core/rules/claim.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A rolling update: two versions of the processes work on the same sale.

const t = useStores();

let other: Redis;

beforeAll(async () => {
  other = connectRedis(t.redisUrl, 'steps', () => undefined);
  await waitUntilReady(other, 60_000);
  // The same script with another text has another hash.
  const define = (name: ScriptName) =>
    other.defineCommand(name, { numberOfKeys: 5, lua: `${readScript(name)}\n-- of another version` });
  define('claim');
  define('release');
});
afterAll(() => other.disconnect());

describe('two versions of a script', () => {
  test('two versions of a script keep one sale consistent', async () => {
    const sale = await openTestSale(t, { units: 50 });
    const names = buyers(60);
    const outcomes = await Promise.all(
      [t.redis, other, t.redis, other].flatMap(redis =>
        names.map(async buyerId => (await claim(redis, sale.id, [{ buyerId, claimId: randomUUID() }]))[0]),
      ),
    );
    const won = outcomes.flatMap(outcome => (outcome?.kind === 'won' ? [outcome.claim] : []));
    expect(won.map(({ unit }) => unit).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(new Set(won.map(({ buyerId }) => buyerId)).size).toBe(50);

    const ends = won.map(one => ({ ...one, status: 'cancelled', reason: 'unpaid', freesUnit: true }) as const);
    const released = await Promise.all([t.redis, other].map(redis => release(redis, sale.id, ends)));
    expect(released.flat().filter(({ kind }) => kind === 'released')).toHaveLength(50);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toHaveLength(50);
  });

  test('a Redis without both versions gets each from the process that needs it', async () => {
    const sale = await openTestSale(t);
    await t.redis.script('FLUSH');
    for (const [i, redis] of [t.redis, other].entries()) {
      expect(await claim(redis, sale.id, [{ buyerId: `buyer${i}`, claimId: randomUUID() }])).toMatchObject([
        { kind: 'won' },
      ]);
    }
  });
});

describe('additions of a later version', () => {
  test('an additional word at the end of a claim record is ignored', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    const { claims } = keysOf(sale.id);
    const later = `${await t.redis.hget(claims, 'a')} later`;
    await t.redis.hset(claims, 'a', later);
    expect(parseClaimRecord(later)).toEqual({ claimId: won.claimId, unit: won.unit, status: 'queued' });
    expect(await claim(t.redis, sale.id, [{ buyerId: 'a', claimId: randomUUID() }])).toMatchObject([
      { kind: 'held', claim: { claimId: won.claimId } },
    ]);
    await recordStatus(t.redis, sale.id, [{ ...won, status: 'pending_payment', payByMs: 1_234 }]);
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')).toMatchObject({ status: 'pending_payment' });
    await t.redis.hset(claims, 'a', `${await t.redis.hget(claims, 'a')} later`);
    const end = { ...won, status: 'cancelled', reason: 'unpaid', freesUnit: true } as const;
    expect(await release(t.redis, sale.id, [end])).toEqual([{ kind: 'released' }]);
  });

  test('a job of a version whose jobs repeated the claims is still read', () => {
    const job = { saleId: 'sale', claims: [{ claimId: randomUUID(), buyerId: 'a', unit: 1 }] };
    expect(JOB_DATA['place-orders'].parse({ ...job, later: true })).toEqual(job);
  });

  test('an additional field of a job is ignored', () => {
    const job = { saleId: 'sale', claimId: randomUUID(), buyerId: 'a', unit: 1 };
    expect(JOB_DATA['cancel-order'].parse({ ...job, later: true })).toEqual(job);
  });
});

import { describe, expect, test } from '@jest/globals';
import { RELEASE_BATCH_MAX, type Release, release } from '#core/redis/claims/release.js';
import { recordStatus } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const ending = ({ buyerId, claimId }: Claim, wanted: Partial<Release> = {}): Release => ({
  buyerId,
  claimId,
  status: 'cancelled',
  reason: 'unpaid',
  freesUnit: true,
  ...wanted,
});

const end = (sale: Sale, ...claims: Claim[]) =>
  release(
    t.redis,
    sale.id,
    claims.map(claim => ending(claim)),
  );

describe('releasing', () => {
  test('a release frees unit and buyer, and records the reason on the claim', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const won = await winOne(t, sale, 'a');
    expect(await end(sale, won)).toEqual([{ kind: 'released' }]);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.stock).toEqual([1]);
    expect(snapshot?.outbox.size).toBe(0);
    expect(snapshot?.claims.get('a')).toEqual({
      claimId: won.claimId,
      unit: 1,
      status: 'cancelled',
      reason: 'unpaid',
    });
    expect((await winOne(t, sale, 'a')).unit).toBe(1);
  });

  test('a second release does nothing', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await end(sale, won);
    expect(await writesNothing(t.redis, () => end(sale, won))).toEqual([{ kind: 'not_held' }]);
  });

  test('the same claim twice in one call is released once', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const won = await winOne(t, sale, 'a');
    expect(await end(sale, won, won)).toEqual([{ kind: 'released' }, { kind: 'not_held' }]);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
  });

  test('the release of an old claim leaves the buyer’s new claim alone', async () => {
    const sale = await openTestSale(t);
    const first = await winOne(t, sale, 'a');
    await end(sale, first);
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => end(sale, first))).toEqual([{ kind: 'not_held' }]);
  });

  test('the release of an unknown claim does nothing', async () => {
    const sale = await openTestSale(t);
    expect(await writesNothing(t.redis, () => end(sale, aClaim()))).toEqual([{ kind: 'not_held' }]);
  });

  test('a unit of another buyer does not return to stock', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const won = await winOne(t, sale, 'a');
    const lost = ending(won, { status: 'rejected', reason: 'lost', freesUnit: false });
    expect(await release(t.redis, sale.id, [lost])).toEqual([{ kind: 'released' }]);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.stock).toEqual([2]);
    expect(snapshot?.claims.get('a')?.status).toBe('rejected');
  });

  test('the deadline of a placed order stays on its claim', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await recordStatus(t.redis, sale.id, [{ ...won, status: 'pending_payment', payByMs: 1_234 }]);
    await end(sale, won);
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.payByMs).toBe(1_234);
  });

  test('one call releases 500 claims', async () => {
    const sale = await openTestSale(t, { units: 512 });
    const claims: Claim[] = [];
    for (let i = 0; i < 4; i += 1) claims.push(...(await win(t, sale, ...buyers(125, `batch${i}-`))));
    expect(claims).toHaveLength(RELEASE_BATCH_MAX);
    expect(await end(sale, ...claims)).toEqual(claims.map(() => ({ kind: 'released' })));
    expect((await readSnapshot(t.redis, sale.id))?.stock).toHaveLength(512);
  });
});

describe('standby', () => {
  test('the unit goes to the first on standby, as a claim in the outbox', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    const won = await winOne(t, sale, 'a');
    await win(t, sale, 'b', 'c');
    const [outcome] = await end(sale, won);
    expect(outcome).toMatchObject({ kind: 'promoted', claim: { buyerId: 'b', unit: 1 } });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.standby).toEqual(['c']);
    expect(snapshot?.stock).toEqual([]);
    expect([...(snapshot?.outbox.keys() ?? [])]).toEqual(['b']);
    const claimId = outcome?.kind === 'promoted' ? outcome.claim.claimId : '';
    expect(snapshot?.claims.get('b')).toEqual({ claimId, unit: 1, status: 'queued' });
  });

  test('the unit goes back to stock when the standby is empty', async () => {
    const sale = await openTestSale(t, { units: 2, standbyFactor: 1 });
    const claims = await win(t, sale, 'a', 'b', 'c');
    expect((await end(sale, ...claims)).map(outcome => outcome.kind)).toEqual(['promoted', 'released']);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([2]);
  });

  test.each(['paused', 'closed'] as const)('a %s sale promotes no buyer', async state => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    const won = await winOne(t, sale, 'a');
    await win(t, sale, 'b');
    await setSale(t.redis, sale.id, { state });
    expect(await end(sale, won)).toEqual([{ kind: 'released' }]);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.stock, snapshot?.standby]).toEqual([[1], ['b']]);
  });
});

describe('guards', () => {
  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(end(sale, won)).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(end(nowhere, won)).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const sale = await openTestSale(t, { units: 2, standbyFactor: 1 });
    const claims = await win(t, sale, 'a', 'b', 'c');
    await expectTypesChecked(t.redis, Object.values(keysOf(sale.id)), () => end(sale, ...claims));
  });

  test('a full Redis still takes units back', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const won = await winOne(t, sale, 'a');
    expect(await whileFull(t.redis, () => end(sale, won))).toEqual([{ kind: 'released' }]);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
  });

  test('a Redis without the script loads it again', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await t.redis.script('FLUSH');
    expect(await end(sale, won)).toEqual([{ kind: 'released' }]);
  });
});

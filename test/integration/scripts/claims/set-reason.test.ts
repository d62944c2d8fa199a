import { describe, expect, test } from '@jest/globals';
import { release } from '#core/redis/claims/release.js';
import { recordStatus, setReason } from '#core/redis/claims/status.js';
import { keysOf } from '#core/redis/keys.js';
import { setSale } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../../support/redis/snapshot.js';
import { aClaim, openTestSale, winOne } from '../../../support/sales.js';
import { expectTypesChecked, whileFull, writesNothing } from '../../../support/stores/keyspace.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

const refunded = (sale: Sale, { buyerId, claimId }: Claim) =>
  setReason(t.redis, sale.id, { buyerId, claimId, reason: 'cancelled_by_buyer' });

/** Opens a sale in which the claim of buyer a has ended, after its order had a deadline. */
async function saleWithEnded(): Promise<{ sale: Sale; ended: Claim }> {
  const sale = await openTestSale(t);
  const ended = await winOne(t, sale, 'a');
  await recordStatus(t.redis, sale.id, [{ ...ended, status: 'pending_payment', payByMs: 1_234 }]);
  await release(t.redis, sale.id, [{ ...ended, status: 'cancelled', reason: 'unpaid', freesUnit: true }]);
  return { sale, ended };
}

describe('a reason', () => {
  test('replaces that of an ended claim, and nothing else of it', async () => {
    const { sale, ended } = await saleWithEnded();
    await refunded(sale, ended);
    const { claimId, unit } = ended;
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')).toEqual({
      claimId,
      unit,
      status: 'cancelled',
      payByMs: 1_234,
      reason: 'cancelled_by_buyer',
    });
    await writesNothing(t.redis, () => refunded(sale, ended));
  });

  test('is written on no other claim, on no live claim, and for no unknown buyer', async () => {
    const { sale, ended } = await saleWithEnded();
    await writesNothing(t.redis, () => refunded(sale, aClaim({ buyerId: 'a' })));
    await writesNothing(t.redis, () => refunded(sale, aClaim()));
    const live = await winOne(t, sale, 'a');
    await writesNothing(t.redis, () => refunded(sale, live));
    await writesNothing(t.redis, () => refunded(sale, ended));
  });
});

test('the reply of the script is 1 for a claim that has the reason, else 0', async () => {
  const { sale, ended } = await saleWithEnded();
  const { sale: fields, claims } = keysOf(sale.id);
  const reply = (claimId: string) =>
    runScript(t.redis, 'set-reason', { keys: [fields, claims], args: ['a', claimId, 'cancelled_by_buyer'] });
  expect(await reply(ended.claimId)).toEqual(['ok', 1]);
  expect(await reply(ended.claimId)).toEqual(['ok', 1]);
  expect(await reply(aClaim().claimId)).toEqual(['ok', 0]);
});

describe('guards', () => {
  test('an unknown or unverified sale is an error, and stays the same', async () => {
    const { sale, ended } = await saleWithEnded();
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    await writesNothing(t.redis, () => expect(refunded(sale, ended)).rejects.toThrow(NotVerified));
    const nowhere = { ...sale, id: 'nowhere' };
    await writesNothing(t.redis, () => expect(refunded(nowhere, ended)).rejects.toThrow('unknown_sale'));
  });

  test('a key of another type fails the script before its first write', async () => {
    const { sale, ended } = await saleWithEnded();
    const keys = keysOf(sale.id);
    await expectTypesChecked(t.redis, [keys.sale, keys.claims], () => refunded(sale, ended));
  });

  test('a full Redis still writes the reason', async () => {
    const { sale, ended } = await saleWithEnded();
    await whileFull(t.redis, () => refunded(sale, ended));
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.reason).toBe('cancelled_by_buyer');
  });
});

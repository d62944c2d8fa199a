import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { changeSale } from '#core/operator/change-sale.js';
import { readOrders } from '#core/postgres/orders/order-row.js';
import { insertSale } from '#core/postgres/sales.js';
import { clickToPay } from '#core/redis/claims/pay-click.js';
import type { Redis } from '#core/redis/connection.js';
import { keysOf, OLD_REGISTRY, workWith } from '#core/redis/keys.js';
import { moveKeys } from '#core/redis/layout.js';
import { readGenerations, readLoadedSaleIds } from '#core/redis/registry.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, readLoadedSale } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { wrapRedis } from '../../support/redis/wrap-redis.js';
import { aSale, openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// An operator moves the keys while a process is in the middle of its work, and that process has not noticed it yet.

const t = useStores();

beforeEach(() => t.redis.flushall());
afterEach(() => workWith('bucket'));

/** Opens a sale as an earlier version does, in a Redis without any. */
async function openEarlier(wanted: Partial<Sale> = {}): Promise<Sale> {
  await t.redis.hset(OLD_REGISTRY, 'first', 1);
  const sale = await openTestSale(t, wanted);
  await t.redis.hdel(OLD_REGISTRY, 'first');
  return sale;
}

async function moveUnnoticed(): Promise<void> {
  await moveKeys(t.redis);
  workWith('sale');
}

/** Wraps Redis so that other work happens right after a command. */
function afterCommand(command: 'begin-copy' | 'unlink' | 'decide-layout', meanwhile: () => unknown): Redis {
  return wrapRedis(t.redis, command, run => async (...args) => {
    const reply = await run(...args);
    await meanwhile();
    return reply;
  });
}

describe('a process that has not noticed the move', () => {
  test('cancels no order that its buyer asked to pay in time', async () => {
    const sale = await openEarlier();
    const claim = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    await clickToPay(t.redis, sale.id, 'ann');
    await t.db
      .$executeRaw`UPDATE orders SET pay_by = clock_timestamp() - interval '1 second', version = version + 1 WHERE id = ${claim.claimId}::uuid`;
    await moveUnnoticed();
    await expect(expireOrders(t, { claimIds: [claim.claimId] })).rejects.toThrow('the keys of the sales were moved');
    expect(await readOrders(t.db, [claim.claimId])).toMatchObject([{ status: 'pending_payment' }]);
  });

  test('rebuilds no sale without the claims and the standby that have new names', async () => {
    const sale = await openEarlier({ units: 1, standbyFactor: 1 });
    const ann = await winOne(t, sale, 'ann');
    await win(t, sale, 'bob');
    await expect(rebuild({ ...t, redis: afterCommand('begin-copy', moveUnnoticed) }, sale.id)).rejects.toThrow(
      NotVerified,
    );
    await reconcileAll(t);
    const { claims, standby } = (await readSnapshot(t.redis, sale.id)) ?? {};
    expect([claims?.get('ann')?.claimId, standby]).toEqual([ann.claimId, ['bob']]);
  });

  test('opens no sale under names that nobody else uses', async () => {
    await openEarlier();
    const late = aSale();
    await insertSale(t.db, late);
    let times = 0;
    const slow = beforeScript(t, 'open-sale', async () => {
      times += 1;
      if (times === 1) await moveUnnoticed();
    });
    expect(await openSale(slow.redis, late)).toBe(true);
    expect(await t.redis.keys(`{${late.id}}*`)).toEqual([]);
    expect(await readLoadedSale(t.redis, late.id)).toMatchObject({ remaining: late.units });
  });

  test('opens a sale although the keys are moved before it is registered', async () => {
    await openEarlier();
    let times = 0;
    const slow = afterCommand('decide-layout', async () => {
      times += 1;
      if (times === 1) await moveUnnoticed();
    });
    const late = aSale();
    expect(await openSale(slow, late)).toBe(true);
    expect(await readLoadedSale(t.redis, late.id)).toMatchObject({ remaining: late.units });
  });

  test('leaves a sale that it removes in the registry, so that the next round removes it', async () => {
    const sale = await openEarlier();
    await moveUnnoticed();
    const noticing = afterCommand('unlink', () => workWith('bucket'));
    await expect(dropSale(noticing, sale.id)).rejects.toThrow(NotVerified);
    expect(await readLoadedSaleIds(t.redis)).toEqual([sale.id]);
  });
});

describe('the move', () => {
  test('takes a sale along that is opened after the sales were listed', async () => {
    const [sale, late] = [await openEarlier(), aSale()];
    let times = 0;
    const slow = beforeScript(t, 'move-keys', async () => {
      times += 1;
      if (times === 1) await openSale(t.redis, late);
    });
    expect(await moveKeys(slow.redis)).toBe(2);
    expect((await readLoadedSaleIds(t.redis)).sort()).toEqual([sale.id, late.id].sort());
  });

  test('is over for an operator who lists the sales after another has moved them', async () => {
    await openEarlier();
    let times = 0;
    const slow = afterCommand('decide-layout', async () => {
      times += 1;
      if (times === 1) await moveUnnoticed();
    });
    expect(await moveKeys(slow)).toBeUndefined();
  });

  test('tells the registry which generation Redis has', async () => {
    const sale = await openEarlier();
    await changeSale(t, sale.id, { addUnits: 1 });
    await moveKeys(t.redis);
    expect(await readGenerations(t.redis)).toEqual(new Map([[sale.id, 2]]));
  });

  test('leaves nothing of what had the new names before', async () => {
    const sale = await openEarlier({ units: 1 });
    await winOne(t, sale, 'ann');
    workWith('bucket');
    await t.redis.rpush(keysOf(sale.id).stock, 1);
    workWith('sale');
    await moveKeys(t.redis);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { Merge } from '#core/maintenance/merge.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { keysOf } from '#core/redis/keys.js';
import { SaleCopying } from '#core/redis/sale/copying.js';
import { Staging } from '#core/redis/sale/staging.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { chunks } from '#core/values/chunks.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A rebuild copies many changed buyers again before it shuts the gate, in passes during which they may change once more.

const t = useStores();

const violationsOf = async (sale: Sale) => (await audit(t.db, t.redis, sale.id))?.violations;
const claimOf = (sale: Sale, buyerId: string) => t.redis.hget(keysOf(sale.id).claims, buyerId);

/** Lets new buyers win, more than are copied behind the shut gate. */
async function winMany(sale: Sale, name: string, count = 1_100): Promise<void> {
  for (const some of chunks(buyers(count, name), 100)) await win(t, sale, ...some);
}

/** The changes of a sale in the passes of a rebuild, by the number of the pass, from 1. */
interface Changes {
  /** As the pass has read the note of the changed buyers, and before it takes them out. */
  taking?: (pass: number) => Promise<unknown>;
  /** Before the pass writes what it has read of its buyers. */
  writing: (pass: number) => Promise<unknown> | undefined;
}

/** Lets a sale change in the passes of a rebuild. Many buyers win before the first one, so that there is one. */
function changingInPasses(sale: Sale, { taking, writing }: Changes) {
  let passes = 0;
  let isReading = false;
  const first = beforeScript(t, 'scard', async () => {
    if (passes === 0) await winMany(sale, 'before');
  });
  const passing = beforeScript(first, 'srem', async () => {
    passes += 1;
    isReading = true;
    await taking?.(passes);
  });
  const stores = beforeScript(passing, 'hset', async () => {
    if (!isReading) return;
    isReading = false;
    await writing(passes);
  });
  return { stores, passes: () => passes };
}

describe('many changes are copied while the sale sells', () => {
  test('so that the gate is shut for a few commands', async () => {
    const sale = await openTestSale(t, { units: 5_000 });
    let isFirst = true;
    const rush = beforeScript(t, 'scard', async () => {
      if (isFirst) await winMany(sale, 'rush', 4_500);
      isFirst = false;
    });
    const shut = beforeScript(rush, 'shut-gate', () => t.redis.config('RESETSTAT'));
    let commands = 0;
    const counted = beforeScript(shut, 'open-sale', async () => {
      commands = Object.values(await readCommandCalls(t.redis)).reduce((sum, calls) => sum + calls);
    });
    expect(await rebuild(counted, sale.id)).toBe(4_500);
    expect(commands).toBeLessThan(45);
    expect(await t.redis.zcard(keysOf(sale.id).outbox)).toBe(4_500);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('and a buyer who changes in each pass is right at the end', async () => {
    const sale = await openTestSale(t, { units: 10_000 });
    let claim = await winOne(t, sale, 'ann');
    const changes = [
      () => placeOrders(t, { saleId: sale.id, claims: [claim] }),
      () => cancelOrder(t, { saleId: sale.id, ...claim }),
      async () => {
        claim = await winOne(t, sale, 'ann');
      },
    ];
    const { stores, passes } = changingInPasses(sale, {
      writing: async pass => {
        await changes[pass - 1]?.();
        await winMany(sale, `pass-${pass}-`);
      },
    });
    expect(await rebuild(stores, sale.id)).toBe(1 + 4 * 1_100);
    expect(passes()).toBe(changes.length);
    expect(await claimOf(sale, 'ann')).toBe(`${claim.claimId} ${claim.unit} queued - -`);
    expect(await t.redis.zscore(keysOf(sale.id).outbox, 'ann')).not.toBeNull();
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('and units that change hands, between passes and within one, are in stock or with one buyer', async () => {
    const sale = await openTestSale(t, { units: 6_000 });
    const [ann, bea] = [await winOne(t, sale, 'ann'), await winOne(t, sale, 'bea')];
    await placeOrders(t, { saleId: sale.id, claims: [ann, bea] });
    const { stores, passes } = changingInPasses(sale, {
      taking: async pass => {
        // Somebody gets each unit that comes back, as no other is left.
        if (pass !== 1) return;
        await cancelOrder(t, { saleId: sale.id, ...ann });
        await winMany(sale, 'rest', 6_000 - 2 - 1_100 + 1);
      },
      writing: async pass => {
        if (pass === 1) await cancelOrder(t, { saleId: sale.id, ...bea });
        if (pass === 2) await win(t, sale, 'ann', 'cem');
      },
    });
    await rebuild(stores, sale.id);
    expect(passes()).toBeGreaterThanOrEqual(2);
    expect(await t.redis.llen(keysOf(sale.id).stock)).toBe(0);
    expect(await violationsOf(sale)).toEqual([]);
  });
});

describe('a pass meets a change half-way', () => {
  /**
   * Merges a sale in the steps of a rebuild: copies all, some buyers in a pass, and the last one behind the shut gate.
   *
   * @returns the stock of the new content
   */
  async function mergeIn(
    stores: typeof t,
    sale: Sale,
    { pass, last }: { pass: (merge: Merge) => Promise<unknown>; last: string },
  ): Promise<string[]> {
    const copying = await SaleCopying.begin(t.redis, sale.id);
    const staging = await Staging.begin(stores.redis, sale);
    if (!staging) throw new Error('no keys are moved here');
    const merge = new Merge(stores, { sale, atMs: Date.now(), staging });
    await merge.copyAll();
    await pass(merge);
    await copying.shut();
    expect(await merge.copyAgain([last], sale.units)).toBe(true);
    expect(await staging.open(sale, copying.gate)).toBe('opened');
    await copying.end();
    expect(await violationsOf(sale)).toEqual([]);
    return t.redis.lrange(keysOf(sale.id).stock, 0, -1);
  }

  test('the new holder of a unit is copied before the old one has let it go', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const ann = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [ann] });
    const pass = async (merge: Merge) => {
      await cancelOrder(t, { saleId: sale.id, ...ann });
      await placeOrders(t, { saleId: sale.id, claims: [await winOne(t, sale, 'bea')] });
      await merge.copyChanged(['bea'], sale.units);
    };
    expect(await mergeIn(t, sale, { pass, last: 'ann' })).toEqual([]);
    expect(await claimOf(sale, 'bea')).toContain('pending_payment');
  });

  test('a buyer buys another unit between the reading of the order and of the claim', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const first = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [first] });
    let isReading = false;
    const stores = beforeScript(t, 'hset', async () => {
      if (!isReading) return;
      isReading = false;
      await cancelOrder(t, { saleId: sale.id, ...first });
      await placeOrders(t, { saleId: sale.id, claims: [await winOne(t, sale, 'ann')] });
    });
    const pass = async (merge: Merge) => {
      isReading = true;
      await merge.copyChanged(['ann'], sale.units);
    };
    expect(await mergeIn(stores, sale, { pass, last: 'ann' })).toEqual(['1']);
  });
});

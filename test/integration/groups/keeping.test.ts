import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { drawLots } from '#core/maintenance/line/draw-lots.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcile } from '#core/maintenance/reconcile.js';
import { claim } from '#core/redis/claims/claim.js';
import { groupsKeyOf, keysOf } from '#core/redis/keys.js';
import { readGroupCounts } from '#core/redis/sale/groups.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { createDraw, letOpen } from '../../support/draws/lines.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const ask = (sale: Sale, ...members: [buyerId: string, group: string][]) =>
  claim(
    t.redis,
    sale.id,
    members.map(([buyerId, group]) => ({ buyerId, group, claimId: randomUUID() })),
  );

async function win(sale: Sale, buyerId: string, group: string): Promise<Claim> {
  const [outcome] = await ask(sale, [buyerId, group]);
  if (outcome?.kind !== 'won') throw new Error(`${buyerId} has won nothing: ${outcome?.kind}`);
  return outcome.claim;
}

const counts = async (sale: Sale) => {
  const known = await readGroupCounts(t.redis, sale.id);
  return Object.fromEntries([...known].filter(([, count]) => count !== 0));
};

const groupOf = async (claimId: string) =>
  (await t.db.order.findUnique({ where: { id: claimId }, select: { buyerGroup: true } }))?.buyerGroup;

const violationsOf = async (sale: Sale) => (await audit(t.db, t.redis, sale.id))?.violations;

/** Opens a sale with a paid-for order of one group, one that was given up in another, and a claim without an order in a third. */
async function saleWithGroups(wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(t, { units: 5, perGroup: 1, unpaidLimit: 2, standbyFactor: 2, ...wanted });
  const [live, ended] = [await win(sale, 'ann', 'home'), await win(sale, 'bob', 'office')];
  await placeWaiting(t, { saleId: sale.id });
  await cancelOrder(t, { saleId: sale.id, ...ended });
  return { sale, live, ended, waiting: await win(sale, 'cid', 'club') };
}

const ALL = { 'n:home': 1, 'u:office': 1, 'n:club': 1 };

describe('the group of a claim', () => {
  test('is kept with its order', async () => {
    const { live, ended, waiting } = await saleWithGroups();
    expect([await groupOf(live.claimId), await groupOf(ended.claimId)]).toEqual(['home', 'office']);
    expect(await groupOf(waiting.claimId)).toBeUndefined();
  });

  test('is kept with an order that the wallet pays', async () => {
    const sale = await openTestSale(t, { perGroup: 1, settlement: 'immediate', priceMinor: 0 });
    const won = await win(sale, 'ann', 'home');
    await placeWaiting(t, { saleId: sale.id });
    expect(await groupOf(won.claimId)).toBe('home');
  });

  test('is missing in the order of a buyer without one, placed in the same batch', async () => {
    const sale = await openTestSale(t, { perGroup: 1 });
    const [, lone] = await claim(t.redis, sale.id, [
      { buyerId: 'ann', group: 'home', claimId: randomUUID() },
      { buyerId: 'eve', claimId: randomUUID() },
    ]);
    if (lone?.kind !== 'won') throw new Error('a unit was free');
    await placeWaiting(t, { saleId: sale.id });
    expect(await groupOf(lone.claim.claimId)).toBeNull();
  });

  test('is kept with a claim that its buyer gives up before it is placed', async () => {
    const { sale, waiting } = await saleWithGroups();
    await cancelOrder(t, { saleId: sale.id, ...waiting, group: 'club' });
    expect(await groupOf(waiting.claimId)).toBe('club');
    await rebuild(t, sale.id);
    expect(await counts(sale)).toEqual({ 'n:home': 1, 'u:office': 1, 'u:club': 1 });
  });

  test('that no id can have is refused by Postgres before it is placed', async () => {
    const { sale, waiting } = await saleWithGroups();
    const placing = placeOrders(t, { saleId: sale.id, claims: [{ ...waiting, group: 'two words' }] });
    await placing.catch(() => undefined);
    expect(await groupOf(waiting.claimId)).not.toBe('two');
  });
});

describe('groups are counted again', () => {
  test('by a rebuild, also of a claim that has no order yet', async () => {
    const { sale } = await saleWithGroups();
    await t.redis.del(groupsKeyOf(sale.id));
    await rebuild(t, sale.id);
    expect(await counts(sale)).toEqual(ALL);
    expect(await violationsOf(sale)).toEqual([]);
  });

  test('by a rebuild after Redis has lost the sale', async () => {
    const { sale } = await saleWithGroups();
    await placeWaiting(t, { saleId: sale.id });
    await t.redis.unlink(...Object.values(keysOf(sale.id)), groupsKeyOf(sale.id));
    await reconcile(t, sale.id);
    expect(await counts(sale)).toEqual(ALL);
    expect((await ask(sale, ['dan', 'home'])).map(({ kind }) => kind)).toEqual(['group_limit']);
  });

  test('by a repair that brings one claim back', async () => {
    const { sale } = await saleWithGroups();
    const { claims, stock } = keysOf(sale.id);
    await t.redis.hdel(claims, 'ann');
    await t.redis.hincrby(groupsKeyOf(sale.id), 'n:home', -1);
    await t.redis.rpush(stock, 1);
    await reconcile(t, sale.id);
    expect(await counts(sale)).toEqual(ALL);
    expect(await violationsOf(sale)).toEqual([]);
  });
});

test('a rebuild keeps the groups of those on standby', async () => {
  const { sale } = await saleWithGroups({ units: 3 });
  const free = await win(sale, 'x', 'x');
  expect((await ask(sale, ['y', 'home'], ['z', 'z'])).map(({ kind }) => kind)).toEqual(['group_limit', 'standby']);
  await rebuild(t, sale.id);
  await placeWaiting(t, { saleId: sale.id });
  await cancelOrder(t, { saleId: sale.id, ...free });
  expect(await counts(sale)).toMatchObject({ 'n:z': 1 });
});

test('a draw keeps the groups of its entries in Postgres, and one of each group gets a unit', async () => {
  const sale = await createDraw(t, { units: 3, perGroup: 1 });
  await ask(sale, ['a', 'home'], ['b', 'home'], ['c', 'home'], ['d', 'office']);
  await keepEntries(t, sale.id);
  await t.redis.unlink(...Object.values(keysOf(sale.id)), groupsKeyOf(sale.id));
  await reconcile(t, sale.id);
  await letOpen(t, sale);
  await drawLots(t, sale.id);
  await reconcile(t, sale.id);
  const { claims, standby } = (await readSnapshot(t.redis, sale.id)) ?? {};
  expect([...(claims?.values() ?? [])].map(({ group }) => group).sort()).toEqual(['home', 'office']);
  expect(standby).toEqual([]);
});

test('an audit finds a group with more live orders than it may have', async () => {
  const { sale, waiting } = await saleWithGroups();
  await placeWaiting(t, { saleId: sale.id });
  const { claimId } = waiting;
  await t.db.$executeRaw`UPDATE orders SET buyer_group = 'home', version = version + 1 WHERE id = ${claimId}::uuid`;
  expect(await violationsOf(sale)).toContain('a group has more live orders than it may: 1');
});

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { regrab } from '#core/redis/claims/regrab.js';
import { promote, release } from '#core/redis/claims/release.js';
import { recordStatus, setReason } from '#core/redis/claims/status.js';
import { groupsKeyOf, keysOf } from '#core/redis/keys.js';
import { readGroupCounts } from '#core/redis/sale/groups.js';
import type { Claim } from '#core/rules/claim.js';
import type { OrderReason } from '#core/rules/order.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Claims for buyers, each written as 'buyer' or 'buyer group'. */
async function ask(sale: Sale, ...members: string[]): Promise<ClaimOutcome[]> {
  const requests = members.map(member => {
    const [buyerId = '', group] = member.split(' ');
    return { buyerId, claimId: randomUUID(), ...(group && { group }) };
  });
  return claim(t.redis, sale.id, requests);
}

const kinds = async (sale: Sale, ...members: string[]) => (await ask(sale, ...members)).map(({ kind }) => kind);

async function win(sale: Sale, member: string): Promise<Claim> {
  const [outcome] = await ask(sale, member);
  if (outcome?.kind !== 'won') throw new Error(`${member} has won nothing: ${outcome?.kind}`);
  return outcome.claim;
}

const end = (sale: Sale, won: Claim, reason: OrderReason = 'unpaid') =>
  release(t.redis, sale.id, [{ ...won, status: 'cancelled', reason, freesUnit: true }]);

const counts = async (sale: Sale) => {
  const known = await readGroupCounts(t.redis, sale.id);
  return Object.fromEntries([...known].filter(([, count]) => count !== 0));
};

const standby = async (sale: Sale) => (await readSnapshot(t.redis, sale.id))?.standby;

/** Lets the units of a sale be free for a minute. */
const waitAMinute = (sale: Sale) => t.redis.hincrby(keysOf(sale.id).sale, 'freeAtMs', -60_000);

const open = (wanted: Partial<Sale> = {}) => openTestSale(t, { units: 10, perGroup: 1, unpaidLimit: 0, ...wanted });

describe('a group holds as many units at one time as it may', () => {
  test('also when its members click in one batch', async () => {
    const sale = await open({ perGroup: 2 });
    expect(await kinds(sale, 'a home', 'b home', 'x other', 'c home', 'd home')).toEqual([
      ...['won', 'won', 'won'],
      ...['group_limit', 'group_limit'],
    ]);
    expect(await counts(sale)).toEqual({ 'n:home': 2, 'n:other': 1 });
  });

  test('with a thousand clicks at the same time', async () => {
    const sale = await open({ units: 500, perGroup: 3 });
    const batches = Array.from({ length: 20 }, (_, i) =>
      kinds(sale, ...Array.from({ length: 50 }, (__, n) => `b${i}-${n} g${n % 5}`)),
    );
    const won = (await Promise.all(batches)).flat().filter(kind => kind === 'won');
    expect(won).toHaveLength(5 * 3);
  });

  test('and another one once a claim has ended', async () => {
    const sale = await open();
    const first = await win(sale, 'a home');
    expect(await kinds(sale, 'b home')).toEqual(['group_limit']);
    await end(sale, first);
    expect(await kinds(sale, 'b home')).toEqual(['won']);
  });

  test('a paid unit counts, and one that was refunded does not', async () => {
    const sale = await open();
    const { claimId, buyerId } = await win(sale, 'a home');
    await recordStatus(t.redis, sale.id, [{ claimId, buyerId, status: 'paid' }]);
    expect(await kinds(sale, 'b home')).toEqual(['group_limit']);
    await release(t.redis, sale.id, [
      { claimId, buyerId, status: 'refunded', reason: 'refunded_by_shop', freesUnit: true },
    ]);
    expect(await kinds(sale, 'b home')).toEqual(['won']);
  });

  test('buyers without a group, and sales without a limit, are not counted', async () => {
    const sale = await open();
    expect(await kinds(sale, 'a', 'b', 'c')).toEqual(['won', 'won', 'won']);
    const free = await open({ perGroup: 0 });
    expect(await kinds(free, 'a home', 'b home')).toEqual(['won', 'won']);
    expect([await counts(sale), await counts(free)]).toEqual([{}, {}]);
  });
});

describe('a token with another group in the middle of a sale', () => {
  test('leaves the claim that its buyer has in the group of the claim', async () => {
    const sale = await open();
    const won = await win(sale, 'a home');
    expect(await ask(sale, 'a other')).toMatchObject([
      { kind: 'held', claim: { claimId: won.claimId, group: 'home' } },
    ]);
    expect(await kinds(sale, 'b home', 'c other')).toEqual(['group_limit', 'won']);
  });

  test('counts for the next claim', async () => {
    const sale = await open();
    await end(sale, await win(sale, 'a home'));
    await win(sale, 'a other');
    expect(await counts(sale)).toEqual({ 'n:other': 1 });
    expect(await kinds(sale, 'b home', 'c other')).toEqual(['won', 'group_limit']);
  });

  test('leaves a buyer on standby in the group with which they joined', async () => {
    const sale = await open({ units: 1, standbyFactor: 5 });
    const held = await win(sale, 'x');
    expect(await kinds(sale, 'a home', 'a other')).toEqual(['standby', 'standby']);
    await end(sale, held);
    expect(await counts(sale)).toEqual({ 'n:home': 1 });
  });
});

describe('on standby', () => {
  test('nobody joins whose group has its units', async () => {
    const sale = await open({ units: 1, standbyFactor: 5 });
    await win(sale, 'a home');
    expect(await kinds(sale, 'b home', 'c other')).toEqual(['group_limit', 'standby']);
    expect(await standby(sale)).toEqual(['c']);
  });

  test('two of one group wait: the first one gets a unit, and the second one leaves at the next', async () => {
    const sale = await open({ units: 2, standbyFactor: 5 });
    const held = [await win(sale, 'x'), await win(sale, 'y')];
    await ask(sale, 'a home', 'b home', 'c');
    expect(await end(sale, held[0] as Claim)).toMatchObject([{ claim: { buyerId: 'a' } }]);
    expect(await end(sale, held[1] as Claim)).toMatchObject([{ claim: { buyerId: 'c' } }]);
    expect(await kinds(sale, 'b home')).toEqual(['group_limit']);
  });

  test('a unit stays in stock when all groups on standby have theirs', async () => {
    const sale = await open({ units: 2, standbyFactor: 5 });
    const held = [await win(sale, 'x'), await win(sale, 'y')];
    await ask(sale, 'a home', 'b home');
    await end(sale, held[0] as Claim);
    expect(await end(sale, held[1] as Claim)).toEqual([{ kind: 'released' }]);
    expect(await standby(sale)).toEqual([]);
    expect(await kinds(sale, 'c')).toEqual(['won']);
  });

  test('a promotion passes full groups, too', async () => {
    const sale = await open({ units: 2, standbyFactor: 5 });
    const held = [await win(sale, 'x'), await win(sale, 'y')];
    await ask(sale, 'a home', 'b home', 'c other');
    await t.redis.hset(keysOf(sale.id).sale, 'state', 'paused');
    for (const won of held) await end(sale, won);
    await t.redis.hset(keysOf(sale.id).sale, 'state', 'open');
    expect((await promote(t.redis, sale.id)).map(({ buyerId }) => buyerId)).toEqual(['a', 'c']);
    expect(await counts(sale)).toEqual({ 'n:home': 1, 'n:other': 1 });
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([]);
  });
});

describe('strikes of a group', () => {
  test('one puts all members behind the others, and the limit for all units ends their chances', async () => {
    const sale = await open({ units: 3, perGroup: 2, unpaidLimit: 2 });
    await end(sale, await win(sale, 'a home'));
    expect(await ask(sale, 'b home')).toMatchObject([{ kind: 'others_first' }]);
    for (const member of ['b home', 'c home', 'd home']) {
      await waitAMinute(sale);
      await end(sale, await win(sale, member));
    }
    expect(await counts(sale)).toEqual({ 'u:home': 4 });
    await waitAMinute(sale);
    expect(await kinds(sale, 'e home', 'f other')).toEqual(['unpaid_limit', 'won']);
  });

  test('a single chance is that of each buyer, and the group has one for each unit', async () => {
    const sale = await open({ perGroup: 2, unpaidLimit: 1 });
    await end(sale, await win(sale, 'a home'));
    expect(await kinds(sale, 'a home', 'b home')).toEqual(['unpaid_limit', 'won']);
  });

  test('go with their buyer to another group', async () => {
    const sale = await open({ unpaidLimit: 3 });
    await end(sale, await win(sale, 'a home'));
    await waitAMinute(sale);
    await win(sale, 'a other');
    expect(await counts(sale)).toEqual({ 'n:other': 1, 'u:other': 1 });
    expect(await kinds(sale, 'b home')).toEqual(['won']);
  });

  test('are taken back with the reason of an end', async () => {
    const sale = await open({ unpaidLimit: 3 });
    const { buyerId, claimId } = await win(sale, 'a home');
    await end(sale, { buyerId, claimId, unit: 1 });
    expect(await counts(sale)).toEqual({ 'u:home': 1 });
    await setReason(t.redis, sale.id, { buyerId, claimId, reason: 'refunded_late_payment' });
    expect(await counts(sale)).toEqual({});
  });
});

describe('late money buys a unit again', () => {
  test('in the group of the order, if the group has room', async () => {
    const sale = await open();
    const ended = await win(sale, 'a home');
    await end(sale, ended);
    const wish = { buyerId: 'a', endedClaimId: ended.claimId, claimId: randomUUID() };
    const other = await win(sale, 'b home');
    expect(await regrab(t.redis, sale.id, wish)).toEqual({ kind: 'sold_out' });
    await end(sale, other);
    const taken = { kind: 'taken', unit: expect.any(Number), group: 'home' };
    expect(await regrab(t.redis, sale.id, wish)).toEqual(taken);
    // A repeat has the same outcome.
    expect(await regrab(t.redis, sale.id, wish)).toEqual(taken);
    expect(await counts(sale)).toEqual({ 'n:home': 1 });
  });
});

test('an audit finds a wrong count', async () => {
  const sale = await open();
  await win(sale, 'a home');
  const faults = async () =>
    (await audit(t.db, t.redis, sale.id))?.violations.filter(text => text.startsWith('groups'));
  expect(await faults()).toEqual([]);
  await t.redis.hincrby(groupsKeyOf(sale.id), 'n:home', 1);
  expect(await faults()).toEqual(['groups: wrong counts of n:home']);
});

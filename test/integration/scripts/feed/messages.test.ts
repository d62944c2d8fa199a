import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { regrab } from '#core/redis/claims/regrab.js';
import { promote, release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { recordStatus, setReason } from '#core/redis/claims/status.js';
import type { Change } from '#core/redis/feed/changes.js';
import { keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale, restock, setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../../support/sales.js';
import { messagesDuring } from '../../../support/stores/messages.js';
import { useStores } from '../../../support/stores/stores.js';

// The mirrors of the APIs know a sale by these messages alone, so each script's message is held here.

const t = useStores();

/** Every sale of this file has room for this many buyers on standby. */
const CAP = 3;

const open = (wanted: Partial<Sale> = {}) => openTestSale(t, { units: 3, standbyFactor: CAP / 3, ...wanted });

/** Makes a call that changes a sale once, and returns its one message without the counts, which rise by one. */
async function messageOf(
  sale: Sale,
  call: () => Promise<unknown>,
): Promise<Omit<Change, 'version' | 'since' | 'published'>> {
  const before = await countsOf(sale);
  const messages = await messagesDuring(t.redis, sale.id, call);
  expect(messages).toHaveLength(1);
  const { version, since, published, ...message } = messages[0] as Change;
  expect(since).toBe(version);
  expect([version, published]).toEqual(before.map(count => count + 1));
  expect(await countsOf(sale)).toEqual([version, published]);
  return message;
}

const countsOf = async (sale: Sale) =>
  (await t.redis.hmget(keysOf(sale.id).sale, 'version', 'published')).map(count => Number(count));

const silent = async (sale: Sale, call: () => Promise<unknown>) =>
  expect(await messagesDuring(t.redis, sale.id, call)).toEqual([]);

/** Returns the change that tells of a buyer's claim as Redis has it. */
const claimed = async (sale: Sale, buyerId: string) => ({
  kind: 'claim',
  buyerId,
  record: await t.redis.hget(keysOf(sale.id).claims, buyerId),
});
const left = (buyerId: string) => ({ kind: 'left', buyerId });
const sameSale = { standbyCap: CAP, state: 'open' };

const end = (sale: Sale, ...claims: Claim[]) =>
  release(
    t.redis,
    sale.id,
    claims.map(ended => ({ ...ended, status: 'cancelled', reason: 'unpaid', freesUnit: true })),
  );

describe('a click', () => {
  test('that wins tells the claim, and one that joins standby the buyer', async () => {
    const sale = await open();
    await win(t, sale, 'a');
    const message = await messageOf(sale, () => win(t, sale, 'b', 'c', 'd'));
    const [b, c] = [await claimed(sale, 'b'), await claimed(sale, 'c')];
    expect(message).toEqual({ ...sameSale, free: 0, waiting: 1, buyers: [b, c, { kind: 'joined', buyerId: 'd' }] });
  });

  test('tells nothing when it changes nothing', async () => {
    const sale = await open();
    await win(t, sale, 'a');
    await silent(sale, () => win(t, sale, 'a'));
  });

  test('of a sale with 256 free units or more raises the version alone', async () => {
    const sale = await open({ units: 259, standbyFactor: 0 });
    const [version = 0, published] = await countsOf(sale);
    for (const [n, clicks] of [['a', 'b'], ['d']].entries()) {
      await silent(sale, () => win(t, sale, ...clicks));
      expect(await countsOf(sale)).toEqual([version + n + 1, published]);
      await silent(sale, () => win(t, sale, ...clicks));
      expect(await countsOf(sale)).toEqual([version + n + 1, published]);
    }
    expect(await messageOf(sale, () => win(t, sale, 'c'))).toMatchObject({ free: 255, buyers: [{ buyerId: 'c' }] });
  });
});

describe('a release', () => {
  test('tells the ended claim and the free unit', async () => {
    const sale = await open();
    const [a, b] = await win(t, sale, 'a', 'b');
    const message = await messageOf(sale, () => end(sale, a as Claim, b as Claim));
    const ended = [await claimed(sale, 'a'), await claimed(sale, 'b')];
    expect(ended[0]?.record).toContain('cancelled - unpaid');
    expect(message).toEqual({ ...sameSale, free: 3, waiting: 0, buyers: ended });
  });

  test('of one claim has a message, too', async () => {
    const sale = await open();
    const a = await winOne(t, sale, 'a');
    expect(await messageOf(sale, () => end(sale, a))).toMatchObject({ free: 3, buyers: [{ buyerId: 'a' }] });
  });

  test('tells who left standby, and the claim of that buyer', async () => {
    const sale = await open();
    const [a] = await win(t, sale, 'a', 'b', 'c', 'd', 'e');
    const message = await messageOf(sale, () => end(sale, a as Claim));
    const [ended, won] = [await claimed(sale, 'a'), await claimed(sale, 'd')];
    expect(message).toEqual({ ...sameSale, free: 0, waiting: 1, buyers: [ended, left('d'), won] });
  });

  test('tells nothing of a claim that is not held', async () => {
    const sale = await open();
    await silent(sale, () => end(sale, aClaim()));
  });
});

describe('a promotion', () => {
  test('tells who left standby, and the claims of these buyers', async () => {
    const sale = await open();
    await win(t, sale, ...buyers(3), 'd', 'e', 'f');
    await restock(t.redis, { ...sale, units: 5 });
    const message = await messageOf(sale, () => promote(t.redis, sale.id));
    const [d, e] = [await claimed(sale, 'd'), await claimed(sale, 'e')];
    expect(message).toMatchObject({ free: 0, waiting: 1, buyers: [left('d'), d, left('e'), e] });
  });

  test('of one buyer has a message, too', async () => {
    const sale = await open();
    await win(t, sale, ...buyers(3), 'd');
    await restock(t.redis, { ...sale, units: 5 });
    const message = await messageOf(sale, () => promote(t.redis, sale.id));
    expect(message).toMatchObject({ free: 1, waiting: 0, buyers: [left('d'), await claimed(sale, 'd')] });
  });

  test('of nobody tells nothing', async () => {
    const sale = await open();
    await silent(sale, () => promote(t.redis, sale.id));
  });
});

describe('the status of an order', () => {
  test('comes with the claim, and no count of the sale changes', async () => {
    const sale = await open();
    const [a, b] = await win(t, sale, 'a', 'b');
    const paid = [a, b].map(won => ({ ...(won as Claim), status: 'paid' as const }));
    const message = await messageOf(sale, () => recordStatus(t.redis, sale.id, paid));
    expect(message).toEqual({ ...sameSale, buyers: [await claimed(sale, 'a'), await claimed(sale, 'b')] });
    await silent(sale, () => recordStatus(t.redis, sale.id, paid));
    const c = await winOne(t, sale, 'c');
    const placed = { ...c, status: 'pending_payment', payByMs: 9_000 } as const;
    const ofOne = await messageOf(sale, () => recordStatus(t.redis, sale.id, [placed]));
    expect(ofOne.buyers).toEqual([await claimed(sale, 'c')]);
  });

  test('a reason of an ended claim has one message', async () => {
    const sale = await open();
    const a = await winOne(t, sale, 'a');
    await end(sale, a);
    const reason = () => setReason(t.redis, sale.id, { ...a, reason: 'cancelled_by_buyer' });
    const message = await messageOf(sale, reason);
    expect(message).toEqual({ ...sameSale, buyers: [await claimed(sale, 'a')] });
    await silent(sale, reason);
  });
});

describe('a claim that comes back', () => {
  test('restored: the message has the claim, the counts, and that the buyer left standby', async () => {
    const sale = await open();
    await win(t, sale, ...buyers(3), 'd');
    await restock(t.redis, { ...sale, units: 4 });
    const lost = { ...aClaim({ buyerId: 'd', unit: 4 }), status: 'queued' } as const;
    const message = await messageOf(sale, () => restoreClaim(t.redis, sale.id, lost));
    expect(message).toMatchObject({ free: 0, waiting: 0, buyers: [left('d'), await claimed(sale, 'd')] });
  });

  test('restored to a buyer who is not on standby: nobody leaves it', async () => {
    const sale = await open();
    const lost = { ...aClaim({ buyerId: 'd', unit: 2 }), status: 'queued' } as const;
    const message = await messageOf(sale, () => restoreClaim(t.redis, sale.id, lost));
    expect(message).toEqual({ ...sameSale, free: 2, waiting: 0, buyers: [await claimed(sale, 'd')] });
  });

  test('restored as ended: the message has only the claim', async () => {
    const sale = await open();
    const lost = { ...aClaim({ buyerId: 'd' }), status: 'rejected', reason: 'lost' } as const;
    const message = await messageOf(sale, () => restoreClaim(t.redis, sale.id, lost));
    expect(message).toEqual({ ...sameSale, buyers: [await claimed(sale, 'd')] });
  });

  test('taken again for late money: the message has the claim and the counts', async () => {
    const sale = await open();
    const again = { buyerId: 'a', endedClaimId: randomUUID(), claimId: randomUUID() };
    const message = await messageOf(sale, () => regrab(t.redis, sale.id, again));
    expect(message).toEqual({ ...sameSale, free: 2, waiting: 0, buyers: [await claimed(sale, 'a')] });
    await silent(sale, () => regrab(t.redis, sale.id, again));
  });
});

test('a buyer who leaves standby comes with the rest of it', async () => {
  const sale = await open();
  await win(t, sale, ...buyers(3), 'd', 'e');
  const message = await messageOf(sale, () => leaveStandby(t.redis, sale.id, 'd'));
  expect(message).toEqual({ ...sameSale, waiting: 1, buyers: [left('d')] });
  await silent(sale, () => leaveStandby(t.redis, sale.id, 'd'));
});

describe('a sale', () => {
  test('with more units tells the free ones and the cap', async () => {
    const sale = await open();
    await win(t, sale, 'a');
    const message = await messageOf(sale, () => restock(t.redis, { ...sale, units: 6 }));
    expect(message).toEqual({ free: 5, standbyCap: 6, state: 'open', buyers: [] });
    await silent(sale, () => restock(t.redis, { ...sale, units: 6 }));
  });

  test('with changed fields tells its state, and one that is unverified says so', async () => {
    const sale = await open();
    const runId = (await readLoadedSale(t.redis, sale.id))?.runId ?? '';
    const change = (fields: Parameters<typeof setSale>[2]) => messageOf(sale, () => setSale(t.redis, sale.id, fields));
    expect(await change({ state: 'paused' })).toEqual({ standbyCap: CAP, state: 'paused', buyers: [] });
    expect(await change({ runId: 'another-run' })).toMatchObject({ state: 'unverified' });
    expect(await change({ runId })).toMatchObject({ state: 'paused' });
    await silent(sale, () => setSale(t.redis, sale.id, { state: 'paused' }));
  });

  test('that has lost its fields still tells a change', async () => {
    const sale = await open();
    await t.redis.hdel(keysOf(sale.id).sale, 'standbyCap', 'state');
    const message = await messageOf(sale, () => setSale(t.redis, sale.id, { generation: 7 }));
    expect(message).toEqual({ standbyCap: Number.NaN, state: '-', buyers: [] });
  });

  test('that is loaded again tells its counts, and its version leaves a gap', async () => {
    const sale = await open();
    const [version = 0] = await countsOf(sale);
    const state = {
      claims: [{ ...aClaim({ buyerId: 'a', unit: 2 }), status: 'queued' as const }],
      outbox: [],
      standby: ['b', 'c'],
    };
    const gate = (await readLoadedSale(t.redis, sale.id))?.runId;
    const [message, ...more] = await messagesDuring(t.redis, sale.id, () => openSale(t.redis, sale, { state, gate }));
    expect(more).toEqual([]);
    expect(message).toMatchObject({ ...sameSale, free: 2, waiting: 2, buyers: [] });
    expect(message?.version).toBeGreaterThan(version + 1);
    expect(message?.published).toBe(message?.version);
    expect(await countsOf(sale)).toEqual([message?.version, message?.published]);
  });

  test('that is loaded again has a greater version, even if the clock of Redis was set back', async () => {
    const sale = await open();
    const ahead = Date.now() + 1_000_000_000;
    await t.redis.hset(keysOf(sale.id).sale, 'version', ahead);
    const gate = (await readLoadedSale(t.redis, sale.id))?.runId;
    const [message] = await messagesDuring(t.redis, sale.id, () => openSale(t.redis, sale, { gate }));
    expect(message?.version).toBe(ahead + 3);
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { sendGathered } from '#core/redis/feed/gathered.js';
import { groupsKeyOf, keysOf, prefixOf, registryKeyOf } from '#core/redis/keys.js';
import { openSale, type StartingState } from '#core/redis/sale/open-sale.js';
import { readLoadedSale, readRunId, setSale } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import type { Sale } from '#core/rules/sale.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aSale, winOne } from '../../support/sales.js';
import { dumpKeys, whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Calls the script with the given staged keys, which seem to hold `units` units. */
async function runOpen(sale: Sale, staged: string[], runId: string, gate = '', units = 0): Promise<unknown> {
  const { sale: sale_, stock, claims, outbox, standby } = keysOf(sale.id);
  const keys = [sale_, stock, claims, outbox, standby, groupsKeyOf(sale.id), ...staged];
  const fields = ['units', 1, 'state', 'open', 'opensAtMs', 0, 'closesAtMs', 1, 'standbyCap', 0];
  const args = [runId, gate, sale.generation, units, 0, 0, 0, ...fields];
  return runScript(t.redis, 'open-sale', { keys, args });
}

const stagedKeys = (sale: Sale): string[] =>
  ['s', 'c', 'o', 'w', 'g'].map(name => `${prefixOf(sale.id)}:${name}:staged`);

describe('opening', () => {
  test('a new sale is loaded with every unit in stock, and verified for this run of Redis', async () => {
    const sale = aSale({ units: 3, standbyFactor: 2 });
    expect(await openSale(t.redis, sale)).toBe(true);
    const { standbyFactor: _, ...fields } = sale;
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({
      ...fields,
      standbyCap: 6,
      remaining: 3,
      claims: 0,
      waiting: 0,
      unplaced: 0,
      runId: await readRunId(t.redis),
    });
    expect(await t.redis.hget(registryKeyOf(sale.id), sale.id)).toBe('1');
  });

  test('a starting state sets claims, outbox and standby, and takes claimed units out of stock', async () => {
    const sale = aSale({ units: 4, standbyFactor: 1 });
    const state: StartingState = {
      claims: [
        { buyerId: 'a', claimId: randomUUID(), unit: 2, status: 'queued' },
        { buyerId: 'b', claimId: randomUUID(), unit: 3, status: 'paid', payByMs: 5 },
        { buyerId: 'c', claimId: randomUUID(), unit: 4, status: 'cancelled', payByMs: 6, reason: 'unpaid' },
      ],
      outbox: [{ buyerId: 'a', wonAtMs: 77 }],
      standby: ['z', 'y'],
    };
    await openSale(t.redis, sale, { state });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.stock).toEqual([1, 4]);
    expect(snapshot?.claims).toEqual(new Map(state.claims.map(({ buyerId, ...claim }) => [buyerId, claim])));
    expect(snapshot?.outbox).toEqual(new Map([['a', 77]]));
    expect(snapshot?.standby).toEqual(['z', 'y']);
    await winOne(t, { id: sale.id }, 'nobody').catch(() => undefined);
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['z', 'y', 'nobody']);
  });

  test('20,000 units are staged in parts and swapped in at once', async () => {
    const sale = aSale({ units: 20_000 });
    await openSale(t.redis, sale);
    expect((await readLoadedSale(t.redis, sale.id))?.remaining).toBe(20_000);
  });

  test('opening leaves no staged key and no expiry behind', async () => {
    const sale = aSale({ units: 2 });
    await openSale(t.redis, sale);
    await winOne(t, sale, 'a');
    await sendGathered(t.redis, sale.id);
    const keys = await t.redis.keys(`${prefixOf(sale.id)}*`);
    expect(keys.sort()).toEqual(['claims', 'outbox', 'sale', 'stock'].map(name => `${prefixOf(sale.id)}:${name}`));
    for (const key of keys) expect(await t.redis.pttl(key)).toBe(-1);
  });
});

test('a sale that is loaded again keeps nothing of its earlier content', async () => {
  const sale = aSale({ units: 1, standbyFactor: 1 });
  await openSale(t.redis, sale);
  await winOne(t, sale, 'a');
  await winOne(t, sale, 'b').catch(() => undefined);
  await t.redis.hset(keysOf(sale.id).sale, 'field', 'of an earlier version');
  await openSale(t.redis, sale, { gate: await readRunId(t.redis) });
  expect(await readSnapshot(t.redis, sale.id)).toMatchObject({ stock: [1], standby: [], lastTicket: 0 });
  expect(await t.redis.exists(keysOf(sale.id).claims, keysOf(sale.id).outbox)).toBe(0);
  expect(await t.redis.hexists(keysOf(sale.id).sale, 'field')).toBe(0);
});

describe('opening at the same time', () => {
  test('a loaded sale is not opened again without its gate', async () => {
    const sale = aSale();
    await openSale(t.redis, sale);
    await winOne(t, sale, 'a');
    expect(await writesNothing(t.redis, () => openSale(t.redis, sale))).toBe(false);
  });

  test('one of two processes opens a new sale', async () => {
    const sale = aSale();
    const opened = await Promise.all([openSale(t.redis, sale), openSale(t.redis, sale)]);
    expect(opened.sort()).toEqual([false, true]);
  });

  test('the last process that closed the gate opens it', async () => {
    const sale = aSale();
    await openSale(t.redis, sale);
    await setSale(t.redis, sale.id, { runId: 'first' });
    await setSale(t.redis, sale.id, { runId: 'second' });
    expect(await openSale(t.redis, sale, { gate: 'first' })).toBe(false);
    expect(await openSale(t.redis, sale, { gate: 'second' })).toBe(true);
  });

  test('keys that were staged before a restart of Redis are staged again', async () => {
    const sale = aSale();
    expect(await writesNothing(t.redis, () => runOpen(sale, stagedKeys(sale), 'another-run'))).toBe('restarted');
  });

  test('a sale whose staged keys FLUSHALL took is staged again, never opened without units', async () => {
    const sale = aSale();
    const runId = await readRunId(t.redis);
    expect(await writesNothing(t.redis, () => runOpen(sale, stagedKeys(sale), runId, '', 5))).toBe('restarted');
  });

  test('a rebuild keeps a change that came meanwhile', async () => {
    const sale = aSale();
    await openSale(t.redis, sale);
    await setSale(t.redis, sale.id, { runId: 'gate' });
    await setSale(t.redis, sale.id, { state: 'paused', generation: sale.generation + 1 });
    expect(await writesNothing(t.redis, () => openSale(t.redis, sale, { gate: 'gate' }))).toBe(false);
  });
});

describe('a Redis in trouble', () => {
  test('a key of another type fails the script before its first write', async () => {
    const sale = aSale();
    const runId = await readRunId(t.redis);
    for (const [i, key] of [keysOf(sale.id).sale, ...stagedKeys(sale)].entries()) {
      await t.redis.rpush(keysOf(sale.id).stock, 1);
      await t.redis.set(key, 'of another type');
      const gate = i === 0 ? 'any' : '';
      const open = () => runOpen(sale, stagedKeys(sale), runId, gate);
      await writesNothing(t.redis, () => expect(open()).rejects.toThrow('WRONGTYPE'));
      await t.redis.del(key);
    }
  });

  test('opening replaces keys of any type', async () => {
    const sale = aSale({ units: 2 });
    const { stock, claims, outbox, standby } = keysOf(sale.id);
    for (const key of [stock, claims, outbox, standby, groupsKeyOf(sale.id)]) await t.redis.set(key, 'of another type');
    await openSale(t.redis, sale);
    expect(await readSnapshot(t.redis, sale.id)).toMatchObject({ stock: [1, 2], standby: [] });
  });

  test('a full Redis opens nothing', async () => {
    const sale = aSale();
    const before = await dumpKeys(t.redis);
    const runId = await readRunId(t.redis);
    await whileFull(t.redis, () => expect(runOpen(sale, stagedKeys(sale), runId)).rejects.toThrow('OOM'));
    expect(await dumpKeys(t.redis)).toEqual(before);
  });

  test('a Redis without the script loads it again', async () => {
    await t.redis.script('FLUSH');
    expect(await openSale(t.redis, aSale())).toBe(true);
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { ListBuilder } from '#core/draw/list.js';
import { commitmentTo, keyOf, lotOf, numberOf, publishedEntry, saltedId, saltOf } from '#core/draw/lot.js';
import { CHUNK, isProven, leafOf, rootOf } from '#core/draw/merkle.js';
import { verifyDraw } from '#core/draw/verify.js';
import { entriesOf, fromHex, type ListVector, vectors } from '../../../support/draws/vectors.js';

const SALT_KEY = fromHex(vectors.saltKey);
const SEED = fromHex(vectors.seed);

async function build(count: number): Promise<{ chunks: Buffer[]; entries: number; root: Buffer; directory: Buffer }> {
  const chunks: Buffer[] = [];
  const builder = new ListBuilder(SALT_KEY, async (number, chunk) => {
    expect(number).toBe(chunks.length);
    chunks.push(chunk);
  });
  await builder.add(entriesOf(count).slice(0, 700));
  await builder.add(entriesOf(count).slice(700));
  return { chunks, ...(await builder.end()) };
}

async function* all(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}

const publishedOf = ({ count, root }: ListVector) => {
  const { seed, commitment, value } = vectors;
  return { seed, commitment, value, entries: count, root };
};

test('the commitment, a salt, a salted id and an entry are those of the vectors', () => {
  const { buyerId, number, salt, id, entry } = vectors.firstBuyer;
  expect(commitmentTo(SEED).toString('hex')).toBe(vectors.commitment);
  expect(saltOf(SALT_KEY, buyerId).toString('hex')).toBe(salt);
  expect(saltedId(SALT_KEY, buyerId).toString('hex')).toBe(id);
  expect(publishedEntry(SALT_KEY, { number, buyerId }).toString('hex')).toBe(entry);
  expect(numberOf(fromHex(entry))).toBe(number);
});

test('the list of nobody has the root of no entries', async () => {
  expect(await build(0)).toMatchObject({ chunks: [], entries: 0, directory: Buffer.alloc(0) });
  expect((await build(0)).root.toString('hex')).toBe(vectors.emptyRoot);
  expect(rootOf([]).toString('hex')).toBe(vectors.emptyRoot);
});

describe.each(vectors.lists)('a list of $count entries', list => {
  const { count, root, key, keyWithoutValue } = list;

  test('it has the root of the vectors, in chunks whose roots are in the directory', async () => {
    const built = await build(count);
    expect(built.root.toString('hex')).toBe(root);
    expect(built.entries).toBe(count);
    expect(built.chunks.map(chunk => chunk.length / 40)).toEqual(
      Array.from({ length: Math.ceil(count / CHUNK) }, (_, i) => Math.min(CHUNK, count - i * CHUNK)),
    );
    expect(built.directory.length).toBe(40 * built.chunks.length);
    expect(rootOf(entriesOf(count).map(entry => leafOf(publishedEntry(SALT_KEY, entry)))).toString('hex')).toBe(root);
  });

  test('key and lots are those of the vectors', () => {
    const made = keyOf({ seed: SEED, root: fromHex(root), value: vectors.value });
    expect(made.toString('hex')).toBe(key);
    expect(keyOf({ seed: SEED, root: fromHex(root), value: '' }).toString('hex')).toBe(keyWithoutValue);
    const lots = entriesOf(count).map(({ buyerId }) => lotOf(made, saltedId(SALT_KEY, buyerId)));
    expect(lots.slice(0, 3)).toEqual(list.firstLots);
    expect(lots.every(lot => Number.isSafeInteger(lot) && lot >= 0 && lot < 2 ** 52)).toBe(true);
  });

  test('the verifier finds no fault, and the order of the vectors', async () => {
    const { chunks } = await build(count);
    const { faults, entries, order = [] } = await verifyDraw(publishedOf(list), all(chunks), all([]));
    expect({ faults, entries }).toEqual({ faults: [], entries: count });
    const numbers = order.map(({ number }) => number);
    expect(numbers.slice(0, 5)).toEqual(list.firstOfOrder);
    expect(createHash('sha256').update(numbers.join(',')).digest('hex')).toBe(list.orderDigest);
  });

  test('the proofs of the vectors hold', () => {
    for (const { index, entry, path } of list.proofs) {
      expect(isProven(fromHex(entry), { index, count, path: path.map(fromHex) }, fromHex(root))).toBe(true);
    }
  });
});

describe('the verifier', () => {
  const list = vectors.lists.find(({ count }) => count === 1_025) as ListVector;
  const verify = async (change: (chunks: Buffer[]) => Buffer[], draw: object = {}) => {
    const { chunks } = await build(1_025);
    return verifyDraw({ ...publishedOf(list), ...draw }, all(change(chunks)), all([]));
  };
  const asIs = (chunks: Buffer[]) => chunks;
  const ROOT = expect.stringMatching(/^the root of the entries is [0-9a-f]{64}, and not [0-9a-f]{64}$/);

  test('it finds an entry that was changed, added or dropped', async () => {
    const changed = await verify(([first = Buffer.of(), ...rest]) => {
      first.writeUInt8(first.readUInt8(50) ^ 1, 50);
      return [first, ...rest];
    });
    expect(changed.faults).toEqual([ROOT]);
    const added = await verify(([first = Buffer.of(), last = Buffer.of()]) => [
      first,
      Buffer.concat([last, publishedEntry(SALT_KEY, { number: 9_999, buyerId: 'eve' })]),
    ]);
    expect(added.faults).toEqual(['there are 1026 entries, and not 1025', ROOT]);
    const dropped = await verify(([first = Buffer.of(), last = Buffer.of()]) => [first.subarray(40), last]);
    expect(dropped.faults).toEqual([
      'chunk 1 has another length than a chunk has',
      'there are 1024 entries, and not 1025',
      ROOT,
    ]);
  });

  test('it finds entries in another order, and a chunk that is no whole number of entries', async () => {
    const swapped = await verify(([first = Buffer.of(), last = Buffer.of()]) => [
      Buffer.concat([first.subarray(40, 80), first.subarray(0, 40), first.subarray(80)]),
      last,
    ]);
    expect(swapped.faults).toEqual(['entry 3 comes after entry 6', ROOT]);
    const cut = await verify(([first = Buffer.of(), last = Buffer.of()]) => [first, last.subarray(0, 39)]);
    expect(cut.faults).toContain('chunk 1 has another length than a chunk has');
  });

  test('it finds another seed than the one that was committed to', async () => {
    expect((await verify(asIs, { seed: 'ab'.repeat(32) })).faults).toEqual([
      'the SHA-256 of the seed is not the commitment',
    ]);
  });

  test('it knows no order before the value has come, and another one with another value', async () => {
    const early = await verify(asIs, { seed: undefined, value: undefined });
    expect(early).toMatchObject({ faults: [], order: undefined });
    const numbersWith = async (value: string) => (await verify(asIs, { value })).order?.map(({ number }) => number);
    expect(await numbersWith('another')).not.toEqual(await numbersWith(vectors.value));
  });

  test('it orders entries that came late by their lots, too, and names them', async () => {
    const { chunks } = await build(1_025);
    const late = publishedEntry(SALT_KEY, { number: 9_999, buyerId: 'late' });
    const { faults, order = [] } = await verifyDraw(publishedOf(list), all(chunks), all([late]));
    expect(faults).toEqual([]);
    expect(order).toHaveLength(1_026);
    const other = await verifyDraw({ ...publishedOf(list), lateEntries: 2 }, all(chunks), all([late]));
    expect(other.faults).toEqual(['there are 1 late entries, and not 2']);
    expect(order.filter(({ isLate }) => isLate)).toMatchObject([{ number: 9_999 }]);
    const lots = order.map(({ lot }) => lot);
    expect(lots).toEqual([...lots].sort((a, b) => a - b));
  });
});

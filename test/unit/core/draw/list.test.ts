import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Chunk, Directory, ListBuilder } from '#core/draw/list.js';
import { CHUNK, isProven } from '#core/draw/merkle.js';

const SALT_KEY = Buffer.alloc(32, 7);

/** Builds the list of entries that have every third number. */
async function listOf(count: number) {
  const chunks: Chunk[] = [];
  const builder = new ListBuilder(SALT_KEY, async (_, bytes) => void chunks.push(new Chunk(bytes)));
  await builder.add(Array.from({ length: count }, (_, i) => ({ number: 3 * i + 1, buyerId: `buyer-${i}` })));
  const { entries, root, directory } = await builder.end();
  return { entries, root, directory: new Directory(directory), chunks };
}

/** Returns the root as RFC 9162 defines it, by none of our code. */
function rootAsDefined(leaves: readonly Buffer[]): Buffer {
  const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
  const [only] = leaves;
  if (!only) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), only);
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return sha256(Buffer.of(1), rootAsDefined(leaves.slice(0, left)), rootAsDefined(leaves.slice(left)));
}

const entriesOf = (chunks: Chunk[]) => {
  const bytes = Buffer.concat(chunks.map(chunk => chunk.bytes));
  return Array.from({ length: bytes.length / 40 }, (_, i) => bytes.subarray(i * 40, (i + 1) * 40));
};

describe.each([1, 2, 3, 4, 5, 7, 8, 9, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])(
  'a list of %i entries',
  count => {
    test('has the root that RFC 9162 defines', async () => {
      const { root, entries, chunks } = await listOf(count);
      expect([entries, root]).toEqual([count, rootAsDefined(entriesOf(chunks))]);
    });

    test('proves each of its entries, and no other number', async () => {
      const { root, directory, chunks } = await listOf(count);
      const proofOf = (number: number) => {
        const at = directory.chunkOf(number);
        const chunk = at === undefined ? undefined : chunks[at];
        return chunk && directory.prove(number, chunk, count);
      };
      const edges = [0, 1, CHUNK - 1, CHUNK, count - 2, count - 1];
      for (const i of new Set(edges.filter(one => one >= 0 && one < count))) {
        const proof = proofOf(3 * i + 1);
        expect(proof?.index).toBe(i);
        expect(proof && isProven(proof.entry, proof, root)).toBe(true);
        const other = proof && Buffer.from(proof.entry);
        if (other) other[39] = (other[39] ?? 0) ^ 1;
        expect(proof && other && isProven(other, proof, root)).toBe(false);
        expect(proofOf(3 * i + 2)).toBeUndefined();
      }
      expect(proofOf(0)).toBeUndefined();
      expect(proofOf(3 * count + 1)).toBeUndefined();
    });
  },
);

test('a proof of another index, of another length or with another path proves nothing', async () => {
  const { root, directory, chunks } = await listOf(9);
  const [chunk] = chunks;
  const proof = chunk && directory.prove(13, chunk, 9);
  if (!proof) throw new Error('entry 13 is in the list');
  const { entry, ...place } = proof;
  const wrong = [
    { ...place, index: place.index + 1 },
    { ...place, index: -1 },
    { ...place, count: 20 },
    { ...place, path: place.path.slice(1) },
    { ...place, path: [...place.path, Buffer.alloc(32)] },
  ];
  expect(wrong.map(one => isProven(entry, one, root))).toEqual(wrong.map(() => false));
});

import { describe, expect, test } from '@jest/globals';
import { isProven } from '#core/draw/merkle.js';
import { fromHex, type ListVector, vectors } from '../../../support/draws/vectors.js';

/** Checks a proof of the vectors with some changes. */
function holds(list: ListVector, { index, entry, path, ...changes }: Changes): boolean {
  const { count = list.count, root = list.root } = changes;
  return isProven(fromHex(entry), { index, count, path: path.map(fromHex) }, fromHex(root));
}

interface Changes {
  index: number;
  entry: string;
  path: string[];
  count?: number;
  root?: string;
}

/** Changes one bit of the first byte. */
const flipped = (hex: string): string => {
  const bytes = fromHex(hex);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes.toString('hex');
};

const proofs = vectors.lists.flatMap(list => list.proofs.map(proof => ({ list, proof })));

describe.each(proofs)('the proof of entry $proof.index of $list.count', ({ list, proof }) => {
  test('it holds', () => {
    expect(holds(list, proof)).toBe(true);
  });

  test('it fails with another entry, another root, or any hash of its path changed', () => {
    expect(holds(list, { ...proof, entry: flipped(proof.entry) })).toBe(false);
    expect(holds(list, { ...proof, root: flipped(list.root) })).toBe(false);
    for (let at = 0; at < proof.path.length; at += 1) {
      expect(holds(list, { ...proof, path: proof.path.map((hash, i) => (i === at ? flipped(hash) : hash)) })).toBe(
        false,
      );
    }
  });

  test('it fails when a hash is missing or too much', () => {
    const [first, ...others] = proof.path;
    if (first !== undefined) {
      expect(holds(list, { ...proof, path: others })).toBe(false);
      expect(holds(list, { ...proof, path: proof.path.slice(0, -1) })).toBe(false);
      expect(holds(list, { ...proof, path: [] })).toBe(false);
    }
    expect(holds(list, { ...proof, path: [...proof.path, list.root] })).toBe(false);
    expect(holds(list, { ...proof, path: [list.root, ...proof.path] })).toBe(false);
  });

  test('it fails with an index that the list does not have', () => {
    for (const index of [-1, list.count, list.count + 1, Number.NaN]) {
      expect(holds(list, { ...proof, index })).toBe(false);
    }
    expect(holds(list, { ...proof, count: 0 })).toBe(false);
  });

  test('it fails as a proof of another list', () => {
    for (const other of vectors.lists.filter(({ count }) => count !== list.count)) {
      expect(holds(list, { ...proof, count: other.count, root: other.root })).toBe(false);
    }
  });
});

test('a node of the tree is no entry', () => {
  const [{ list, proof }] = proofs.filter(({ list: { count } }) => count === 2) as [(typeof proofs)[number]];
  const node = `${proof.entry}${proof.path[0]}`;
  expect(isProven(fromHex(node), { index: 0, count: 1, path: [] }, fromHex(list.root))).toBe(false);
});

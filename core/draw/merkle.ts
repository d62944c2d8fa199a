import { hash } from 'node:crypto';

// The Merkle tree of RFC 9162, section 2.1, over the entries of a draw. Its root names the whole list, and a path of hashes proves
// that an entry is in it.

/** A SHA-256 of 32 bytes. */
export type Hash = Buffer;

/** The entries of a chunk, which is a part of the list that is published as one file. A power of two, so that a chunk is a subtree. */
export const CHUNK = 1_024;

const HASH_BYTES = 32;
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** Computes the SHA-256 of bytes, one part after the other. */
export const sha256 = (...parts: readonly Uint8Array[]): Hash => hash('sha256', Buffer.concat(parts), 'buffer');

/** Hashes an entry as a leaf of the tree. */
export const leafOf = (entry: Uint8Array): Hash => sha256(LEAF, entry);

const parentOf = (left: Uint8Array, right: Uint8Array): Hash => sha256(NODE, left, right);

/** Returns the largest power of two below a count of at least 2: as many leaves are in the left subtree. */
function leftOf(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1);
}

/** Computes the root of a tree over nodes of one height. The root of no nodes is the hash of nothing. */
export function rootOf(nodes: readonly Hash[]): Hash {
  const [only] = nodes;
  if (only === undefined) return sha256();
  if (nodes.length === 1) return only;
  const left = leftOf(nodes.length);
  return parentOf(rootOf(nodes.slice(0, left)), rootOf(nodes.slice(left)));
}

/**
 * A tree over nodes of one height whose hashes are kept, for many paths. Two neighbours have a parent, and the last of an odd number of
 * nodes is its own: that is the tree whose left part is always the largest power of two.
 */
export class Tree {
  /** The hashes of each height, one after the other, from the nodes to the children of the root. */
  readonly #levels: Buffer[] = [];

  constructor(nodes: readonly Hash[]) {
    let level = nodes;
    while (level.length > 1) {
      this.#levels.push(Buffer.concat(level));
      const below = level;
      level = below.flatMap((left, i) => {
        if (i % 2 === 1) return [];
        const right = below[i + 1];
        return [right === undefined ? left : parentOf(left, right)];
      });
    }
  }

  /** Returns the hashes that lead from one node to the root, the lowest one first. */
  pathOf(index: number): Hash[] {
    return this.#levels.flatMap((level, height) => {
      const at = (Math.floor(index / 2 ** height) ^ 1) * HASH_BYTES;
      return at < level.length ? [level.subarray(at, at + HASH_BYTES)] : [];
    });
  }
}

/** An entry's place in the tree, and its path to the root. */
export interface Proof {
  index: number;
  count: number;
  path: readonly Hash[];
}

/** Tells whether an entry is in the list that a root names. */
export function isProven(entry: Uint8Array, { index, count, path }: Proof, root: Hash): boolean {
  if (!(index >= 0 && index < count)) return false;
  const rest = [...path];
  const climb = (at: number, size: number): Hash | undefined => {
    if (size === 1) return leafOf(entry);
    const left = leftOf(size);
    const isLeft = at < left;
    const below = isLeft ? climb(at, left) : climb(at - left, size - left);
    const beside = rest.shift();
    if (below === undefined || beside === undefined) return undefined;
    return isLeft ? parentOf(below, beside) : parentOf(beside, below);
  };
  const found = climb(index, count);
  return found?.equals(root) === true && rest.length === 0;
}

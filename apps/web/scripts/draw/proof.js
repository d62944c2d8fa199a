// The algorithm of docs/fairness.md once more, in a browser: it does not rely on anything that the server computes.

/** The bytes of a published entry: its number as 8 bytes, the highest first, and the salted hash of its buyer. */
export const ENTRY_BYTES = 40;
const NUMBER_BYTES = 8;

/**
 * Computes the SHA-256 of bytes, one part after the other.
 *
 * @param {...Uint8Array} parts
 * @returns {Promise<Uint8Array>}
 */
export async function sha256(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/**
 * Reads bytes from hexadecimal digits. Any other text gives no bytes, which prove nothing.
 *
 * @param {unknown} text
 * @returns {Uint8Array}
 */
export function bytesOf(text) {
  const isHex = typeof text === 'string' && /^(?:[0-9a-f]{2})*$/.test(text);
  const digits = isHex ? (text.match(/../g) ?? []) : [];
  return Uint8Array.from(digits, pair => Number.parseInt(pair, 16));
}

/**
 * Tells whether two hashes are the same.
 *
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export const isSame = (one, other) =>
  one.length > 0 && one.length === other.length && one.every((byte, i) => byte === other[i]);

/**
 * Hashes an entry as a leaf of the tree (RFC 9162, section 2.1.1).
 *
 * @param {Uint8Array} entry
 */
export const leafOf = entry => sha256(Uint8Array.of(0), entry);

const parentOf = (left, right) => sha256(Uint8Array.of(1), left, right);

/**
 * Computes the root over nodes of one height. Two neighbours have a parent, and the last of an odd number is its own.
 *
 * @param {Uint8Array[]} nodes
 * @returns {Promise<Uint8Array>}
 */
export async function rootOf(nodes) {
  let level = nodes;
  if (level.length === 0) return sha256();
  while (level.length > 1) {
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => level.slice(2 * i, 2 * i + 2));
    level = await Promise.all(pairs.map(([left, right]) => (right === undefined ? left : parentOf(left, right))));
  }
  return level[0];
}

/**
 * Reads the number of a published entry.
 *
 * @param {Uint8Array} entry
 */
export function numberOf(entry) {
  const view = new DataView(entry.buffer, entry.byteOffset);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/**
 * Computes the key of all lots: the SHA-256 of seed, root and public value.
 *
 * @param {{seed?: string, root?: string, value?: string}} facts
 */
export const keyOf = ({ seed, root, value = '' }) =>
  sha256(bytesOf(seed), bytesOf(root), new TextEncoder().encode(value));

/**
 * Computes the lot of an entry. The smallest one is the first in the order.
 *
 * @param {Uint8Array} key
 * @param {Uint8Array} entry
 * @returns {Promise<number>} 52 bits
 */
export async function lotOf(key, entry) {
  const { buffer } = await sha256(key, entry.subarray(NUMBER_BYTES));
  const view = new DataView(buffer);
  return view.getUint32(0) * 2 ** 20 + (view.getUint32(4) >>> 12);
}

/**
 * Checks the proof of the visitor's own entry: it stands for this buyer, has this number, and is in the list that the root names.
 *
 * @param {{buyerId: string, entry: number, index: number, count: number, salt: string, published: string, path: string[]}} proof
 * @param {string | undefined} root of the list, from the facts that everybody gets
 * @returns {Promise<boolean>}
 */
export async function isProven({ buyerId, entry, index, count, salt, published, path }, root) {
  const bytes = bytesOf(published);
  if (bytes.length !== ENTRY_BYTES || numberOf(bytes) !== entry || !Array.isArray(path)) return false;
  const id = await sha256(bytesOf(salt), new TextEncoder().encode(buyerId));
  if (!isSame(id, bytes.subarray(NUMBER_BYTES)) || !(index >= 0 && index < count)) return false;
  const rest = path.map(bytesOf);
  let hash = await leafOf(bytes);
  for (let at = index, size = count; size > 1; at = Math.floor(at / 2), size = Math.ceil(size / 2)) {
    const isLast = at === size - 1;
    if (isLast && at % 2 === 0) continue;
    const beside = rest.shift() ?? new Uint8Array();
    hash = at % 2 === 0 ? await parentOf(hash, beside) : await parentOf(beside, hash);
  }
  return rest.length === 0 && isSame(hash, bytesOf(root));
}

import { bytesOf, ENTRY_BYTES, isSame, keyOf, leafOf, lotOf, numberOf, rootOf, sha256 } from './proof.js';

/**
 * The facts of a draw that everybody gets: `GET /draws/:saleId`.
 *
 * @typedef {{commitment: string, valueSource?: string, valueSubstitute?: string, beaconRound?: number, entries?: number,
 *   chunkEntries?: number, root?: string, lateEntries?: number, seed?: string, value?: string, isSubstitute?: boolean}} Facts
 *
 * The outcome of checking a whole list. `fault` names what is wrong: the list has other entries than its facts say, is not in order, is not
 * the list of the root, or lacks the own entry; or the seed is not the one that was committed to. `rank` is the own number in the order.
 *
 * @typedef {{fault?: 'entries' | 'numbers' | 'root' | 'own' | 'seed', entries: number, rank?: number}} Verdict
 */

/**
 * Checks the whole list of a draw, and finds out which number the own entry has in the order.
 *
 * @param {Facts} facts with a `root`
 * @param {(number: number) => Promise<Uint8Array>} load returns a part of the list
 * @param {{own?: string, onPart?: (checked: number) => void}} [about] `own` is the own entry in hexadecimal digits; `onPart` learns
 *   how many entries are checked so far
 * @returns {Promise<Verdict>}
 */
export async function checkList(facts, load, { own, onPart = () => undefined } = {}) {
  const { entries = 0, chunkEntries = 1, seed } = facts;
  const ownBytes = own === undefined ? undefined : bytesOf(own);
  const order = seed === undefined ? undefined : new Order(await keyOf(facts), ownBytes);
  const roots = [];
  const seen = { entries: 0, lastNumber: 0, hasOwn: false };
  while (seen.entries < entries) {
    const part = entriesIn(await load(roots.length));
    if (part.length !== Math.min(chunkEntries, entries - seen.entries)) return { fault: 'entries', entries };
    for (const entry of part) {
      if (numberOf(entry) <= seen.lastNumber) return { fault: 'numbers', entries };
      seen.lastNumber = numberOf(entry);
      seen.hasOwn ||= ownBytes !== undefined && isSame(entry, ownBytes);
    }
    roots.push(await rootOf(await Promise.all(part.map(leafOf))));
    await order?.add(part);
    seen.entries += part.length;
    onPart(seen.entries);
  }
  if (!isSame(await rootOf(roots), bytesOf(facts.root))) return { fault: 'root', entries };
  if (own !== undefined && !seen.hasOwn) return { fault: 'own', entries };
  if (!order) return { entries };
  if (!isSame(await sha256(bytesOf(seed)), bytesOf(facts.commitment))) return { fault: 'seed', entries };
  return { entries, ...(own === undefined ? {} : { rank: order.rank }) };
}

/** Splits a part of the list into entries. Bytes that make no whole entry count as one, so that they are found. */
function entriesIn(bytes) {
  const count = Math.ceil(bytes.length / ENTRY_BYTES);
  const entries = Array.from({ length: count }, (_, i) => bytes.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES));
  return bytes.length % ENTRY_BYTES === 0 ? entries : [];
}

/** The order of a list, as far as the own entry needs it: how many lots are smaller. */
class Order {
  #key;
  #own;
  #smaller = 0;

  constructor(key, own) {
    this.#key = key;
    this.#own = own === undefined ? undefined : lotOf(key, own);
  }

  async add(entries) {
    const own = await this.#own;
    if (own === undefined) return;
    const lots = await Promise.all(entries.map(entry => lotOf(this.#key, entry)));
    this.#smaller += lots.filter(lot => lot < own).length;
  }

  get rank() {
    return this.#smaller + 1;
  }
}

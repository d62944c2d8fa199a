import { createCipheriv } from 'node:crypto';
import type { Units } from './units.js';

/** The units of a page: some ten kB on their way to Redis. */
const PAGE = 5_000;

/** The most units that are sorted at once: 16 MB, and half a second of a process. */
const SORTED_MAX = 2 ** 21;

/** How full a sort is meant to be. Chance decides which units are in it, and makes a difference of some thousands. */
const FULL = 15 / 16;

/** The units whose keys are made at once: 256 kB. */
const KEYED_AT_ONCE = 2 ** 16;
const KEY_BYTES = 4;
const KEYS = 2 ** 32;

/** Numbers of units are below this: a sale has at most 10 million. A sorted number has 29 bits of the key above it, as a double has 53. */
const UNITS = 2 ** 24;
const KEYS_FOR_EACH_SORTED = 2 ** 3;

/**
 * Lists the units of a sale that belong into stock, in the order in which they are dealt, by pages. With a seed, each unit has a random
 * key: its own 4 bytes of the keystream of AES-256 in counter mode (NIST SP 800-38A, 6.5). The units are sorted by their keys, and those of a
 * large sale are divided by their keys before, so that the memory stays bounded (the shuffle of Rao, 1961, and Sandelius, 1962). A key depends
 * on seed and number only, so the units that are left keep their order after a rebuild.
 *
 * @param seed 32 bytes as hex; without it, the order is 1, 2, 3
 */
export function* dealt(units: Units, seed?: string): Generator<number[]> {
  if (seed === undefined) return yield* inPages(units.unheld());
  const parts = units.count <= SORTED_MAX ? 1 : Math.ceil(units.count / (SORTED_MAX * FULL));
  for (let part = 0; part < parts; part += 1) yield* inPages(sortedPart(units, seed, { part, parts }));
}

function* inPages(units: Iterable<number>): Generator<number[]> {
  let page: number[] = [];
  for (const unit of units) {
    if (page.push(unit) < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Lists the units of one part of all keys, in the order of their keys; `part` counts from 0. */
function* sortedPart(units: Units, seed: string, { part, parts }: { part: number; parts: number }): Generator<number> {
  const room = new Float64Array(Math.min(units.count, SORTED_MAX));
  const cipher = createCipheriv('aes-256-ctr', Buffer.from(seed, 'hex'), Buffer.alloc(16));
  const zeros = Buffer.alloc(KEYED_AT_ONCE * KEY_BYTES);
  let found = 0;
  for (let first = 1; first <= units.count; first += KEYED_AT_ONCE) {
    const keystream = cipher.update(zeros);
    const end = Math.min(units.count + 1, first + KEYED_AT_ONCE);
    for (let unit = first; unit < end; unit += 1) {
      const key = keystream.readUInt32BE((unit - first) * KEY_BYTES);
      if (Math.floor((key / KEYS) * parts) !== part || !units.isUnheld(unit)) continue;
      room[found] = Math.floor(key / KEYS_FOR_EACH_SORTED) * UNITS + unit;
      found += 1;
    }
  }
  for (const sorted of room.subarray(0, found).sort()) yield sorted % UNITS;
}

import { sha256 } from './merkle.js';

// The algorithm that docs/fairness.md states. A program that verifies a draw repeats it, so it never changes.

/** A buyer who has joined before the opening. `number`: from 1, in the order of joining, with gaps. */
export interface Entry {
  number: number;
  buyerId: string;
}

/** The bytes of a published entry: its number as 8 bytes, the highest first, and the salted hash of its buyer. */
export const ENTRY_BYTES = 40;
const NUMBER_BYTES = 8;

/** The bits of a lot: as many as a score of a sorted set in Redis can hold, with room above for buyers who come after the opening. */
const LOT_BITS = 52;

/** The tickets of buyers who come after the opening begin here, above every lot and every number of an entry. */
export const LATE_FROM = 2 ** LOT_BITS;

/** The tickets of buyers with strikes begin here, above all others (core/redis/lua/include/strikes.lua). */
export const STRUCK_FROM = 2 ** LOT_BITS + 2 ** (LOT_BITS - 1);

/** The bytes of a block of SHA-256, to which HMAC pads its key. */
const BLOCK = 64;

/** The padded keys of HMAC-SHA-256 (RFC 2104): with two hashes a salt takes half the time that `createHmac` takes. */
interface Pads {
  inner: Buffer;
  outer: Buffer;
}

const padsOfKeys = new WeakMap<Uint8Array, Pads>();

function padsOf(saltKey: Uint8Array): Pads {
  const known = padsOfKeys.get(saltKey);
  if (known) return known;
  const pad = (byte: number) => Buffer.from(Array.from({ length: BLOCK }, (_, i) => (saltKey[i] ?? 0) ^ byte));
  const pads = { inner: pad(0x36), outer: pad(0x5c) };
  padsOfKeys.set(saltKey, pads);
  return pads;
}

/**
 * Returns a buyer's salt. Without it nobody can find out who has joined, and with it the buyer can prove their own entry.
 *
 * @param saltKey the secret of the sale, 32 bytes
 * @returns 16 bytes
 */
export function saltOf(saltKey: Uint8Array, buyerId: string): Buffer {
  const { inner, outer } = padsOf(saltKey);
  return sha256(outer, sha256(inner, Buffer.from(buyerId))).subarray(0, 16);
}

/** Returns the hash that stands for a buyer in the published list. */
export function saltedId(saltKey: Uint8Array, buyerId: string): Buffer {
  return sha256(saltOf(saltKey, buyerId), Buffer.from(buyerId));
}

/** Returns an entry as it is published, {@link ENTRY_BYTES} bytes. */
export function publishedEntry(saltKey: Uint8Array, { number, buyerId }: Entry): Buffer {
  const bytes = Buffer.allocUnsafe(ENTRY_BYTES);
  bytes.writeUInt32BE(Math.floor(number / 2 ** 32));
  bytes.writeUInt32BE(number % 2 ** 32, 4);
  saltedId(saltKey, buyerId).copy(bytes, NUMBER_BYTES);
  return bytes;
}

/** Reads the number of a published entry. */
export const numberOf = (entry: Buffer): number => Number(entry.readBigUInt64BE());

/** The facts that decide the order: the secret that was committed to, the root over all entries, and the public value. */
export interface Decision {
  seed: Uint8Array;
  root: Uint8Array;
  /** '' for a draw without a public value. */
  value: string;
}

/** Returns the key of all lots of a draw. Nobody knows it before the last entry and the public value are known. */
export function keyOf({ seed, root, value }: Decision): Buffer {
  return sha256(seed, root, Buffer.from(value));
}

/**
 * Returns the lot of a buyer. The smallest lot is the first in the order. It does not depend on the number of the entry, so nobody
 * gains by leaving and joining again.
 *
 * @param id the hash that stands for the buyer
 */
export function lotOf(key: Uint8Array, id: Uint8Array): number {
  const hash = sha256(key, id);
  return hash.readUInt32BE() * 2 ** (LOT_BITS - 32) + (hash.readUInt32BE(4) >>> (64 - LOT_BITS));
}

/** The facts of a draw that give its buyers their lots, as far as they are known. */
interface Lots {
  seed: Uint8Array;
  saltKey: Uint8Array;
  list: { root: Uint8Array } | undefined;
  decided: { value: string } | undefined;
}

/** Returns the function that computes the lot of a buyer; undefined before the draw is decided. */
export function lotsOf({ seed, saltKey, list, decided }: Lots): ((buyerId: string) => number) | undefined {
  if (!list || !decided) return undefined;
  const key = keyOf({ seed, root: list.root, value: decided.value });
  return buyerId => lotOf(key, saltedId(saltKey, buyerId));
}

/** Returns the commitment to a secret seed, which a sale publishes when it is created. */
export const commitmentTo = (seed: Uint8Array): Buffer => sha256(seed);

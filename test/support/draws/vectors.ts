import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '#core/draw/lot.js';

/** A list of the test vectors, with what follows from it. Bytes are in hexadecimal digits. */
export interface ListVector {
  count: number;
  root: string;
  key: string;
  keyWithoutValue: string;
  firstLots: number[];
  /** The numbers of the first entries of the order. */
  firstOfOrder: number[];
  /** The SHA-256 of all entry numbers in their order, with commas between. */
  orderDigest: string;
  proofs: { index: number; entry: string; path: string[] }[];
}

interface Vectors {
  seed: string;
  commitment: string;
  saltKey: string;
  value: string;
  firstBuyer: { buyerId: string; number: number; salt: string; id: string; entry: string };
  emptyRoot: string;
  lists: ListVector[];
}

/** The test vectors of draws, which another runtime has computed. */
export const vectors = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors.json'), 'utf8')) as Vectors;

/** Returns the bytes that hexadecimal digits stand for. */
export const fromHex = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Returns the entries of a list of the test vectors. */
export const entriesOf = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ number: 3 * (i + 1), buyerId: `buyer-${i + 1}` }));

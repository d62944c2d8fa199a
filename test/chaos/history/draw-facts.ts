import { createHash, createHmac } from 'node:crypto';

/** The published facts of a draw, as everybody may read them. Bytes are in hexadecimal digits. */
export interface PublishedFacts {
  commitment?: string;
  entries?: number;
  root?: string;
  seed?: string;
  value?: string;
}

/** A read of a draw while the run lasts, from a Redis that was compared with Postgres. */
export interface DrawRead {
  type: 'draw';
  atMs: number;
  saleId: string;
  published: PublishedFacts;
  isOrdered: boolean;
  /** Buyers and their tickets, the first buyer first. */
  standby: [buyerId: string, ticket: number][];
}

/** A row of `entries` at rest. */
export interface EntryFacts {
  buyerId: string;
  number: number;
  isIn: boolean;
  isWaiting: boolean;
}

/** A draw at rest, in both stores. Bytes are in hexadecimal digits, '' for none. */
export interface DrawFacts {
  saleId: string;
  seed: string;
  saltKey: string;
  root: string;
  /** '' for none, and before the decision. */
  value: string;
  isDealt: boolean;
  entries: EntryFacts[];
  standby: [buyerId: string, ticket: number][];
  /** Buyers whose claim Redis knows, live or not. */
  claimants: string[];
  /** The published entries, 40 bytes each, one after the other. */
  list: Buffer;
}

/** The tickets of buyers who came after the opening begin here. */
export const LATE_FROM = 2 ** 52;

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** Returns the hash that stands for a buyer in the published list. */
export function publishedIdOf({ saltKey }: Pick<DrawFacts, 'saltKey'>, buyerId: string): Buffer {
  const salt = createHmac('sha256', Buffer.from(saltKey, 'hex')).update(buyerId).digest().subarray(0, 16);
  return sha256(salt, Buffer.from(buyerId));
}

/** Creates the function that computes a buyer's lot by docs/fairness.md, and with none of the product's code. */
export function lotsOf(facts: Pick<DrawFacts, 'seed' | 'root' | 'value' | 'saltKey'>): (buyerId: string) => number {
  const key = sha256(Buffer.from(facts.seed, 'hex'), Buffer.from(facts.root, 'hex'), Buffer.from(facts.value));
  return buyerId => Number.parseInt(sha256(key, publishedIdOf(facts, buyerId)).toString('hex').slice(0, 13), 16);
}

/** Computes the root of the Merkle tree of RFC 9162 over published entries. */
export function rootOfList(list: Buffer): string {
  const rootOf = (leaves: Buffer[]): Buffer => {
    if (leaves.length <= 1) return leaves[0] ?? sha256();
    const left = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
    return sha256(Buffer.of(1), rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
  };
  const leaves = entriesIn(list).map(entry => sha256(Buffer.of(0), entry));
  return rootOf(leaves).toString('hex');
}

/** Splits a published list into its entries. */
export function entriesIn(list: Buffer): Buffer[] {
  return Array.from({ length: list.length / 40 }, (_, i) => list.subarray(40 * i, 40 * (i + 1)));
}

/** Computes the commitment to a seed. */
export const commitmentOf = (seed: string): string => sha256(Buffer.from(seed, 'hex')).toString('hex');

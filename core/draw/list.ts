import { ENTRY_BYTES, type Entry, numberOf, publishedEntry } from './lot.js';
import { CHUNK, type Hash, leafOf, type Proof, pathOf, rootOf } from './merkle.js';

// The published list of a draw. It comes in chunks, each a subtree of the Merkle tree, so that nobody holds a whole list of millions.

/** The bytes of a chunk in the directory: the number of its first entry, and its root. */
const DIRECTORY_BYTES = 8 + 32;

/** Splits the bytes of a chunk into its entries. A rest that is no whole entry is left out. */
export function entriesIn(chunk: Buffer): Buffer[] {
  return Array.from({ length: Math.floor(chunk.length / ENTRY_BYTES) }, (_, i) =>
    chunk.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES),
  );
}

/** Builds the chunks of a list, whose entries come in the order of their numbers. */
export class ListBuilder {
  readonly #saltKey: Uint8Array;
  readonly #take: (number: number, chunk: Buffer) => Promise<void>;
  readonly #directory: Buffer[] = [];
  readonly #roots: Hash[] = [];
  #open: Buffer[] = [];

  /** @param take receives each chunk with its number, from 0 */
  constructor(saltKey: Uint8Array, take: (number: number, chunk: Buffer) => Promise<void>) {
    this.#saltKey = saltKey;
    this.#take = take;
  }

  async add(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      this.#open.push(publishedEntry(this.#saltKey, entry));
      if (this.#open.length === CHUNK) await this.#close();
    }
  }

  /** Ends the list. */
  async end(): Promise<{ entries: number; root: Hash; directory: Buffer }> {
    const last = this.#open.length;
    const full = this.#roots.length * CHUNK;
    if (last > 0) await this.#close();
    return { entries: full + last, root: rootOf(this.#roots), directory: Buffer.concat(this.#directory) };
  }

  async #close(): Promise<void> {
    const entries = this.#open;
    this.#open = [];
    const root = rootOf(entries.map(leafOf));
    const chunk = Buffer.concat(entries);
    await this.#take(this.#roots.length, chunk);
    this.#roots.push(root);
    this.#directory.push(chunk.subarray(0, DIRECTORY_BYTES - root.length), root);
  }
}

/** The directory of the chunks of a list: where an entry is, and the roots of all chunks. */
export class Directory {
  readonly #firsts: number[];
  readonly #roots: Hash[];

  constructor(bytes: Buffer) {
    const count = bytes.length / DIRECTORY_BYTES;
    const at = (i: number) => bytes.subarray(i * DIRECTORY_BYTES, (i + 1) * DIRECTORY_BYTES);
    this.#firsts = Array.from({ length: count }, (_, i) => numberOf(at(i)));
    this.#roots = Array.from({ length: count }, (_, i) => at(i).subarray(8));
  }

  /** Returns the number of the chunk that has an entry, if the list has it; undefined if it cannot have it. */
  chunkOf(entryNumber: number): number | undefined {
    const after = this.#firsts.findIndex(first => first > entryNumber);
    const chunk = (after === -1 ? this.#firsts.length : after) - 1;
    return chunk < 0 ? undefined : chunk;
  }

  /**
   * Proves that an entry is in the list.
   *
   * @param chunk the bytes of the chunk that {@link chunkOf} names
   * @param count the entries of the list
   * @returns undefined if the chunk has no such entry
   */
  prove(entryNumber: number, chunk: Buffer, count: number): (Proof & { entry: Buffer }) | undefined {
    const number = this.chunkOf(entryNumber);
    const entries = entriesIn(chunk);
    const at = entries.findIndex(entry => numberOf(entry) === entryNumber);
    const entry = entries[at];
    if (number === undefined || entry === undefined) return undefined;
    const path = [...pathOf(entries.map(leafOf), at), ...pathOf(this.#roots, number)];
    return { entry, index: number * CHUNK + at, count, path };
  }
}

import { ENTRY_BYTES, type Entry, numberOf, publishedEntry } from './lot.js';
import { CHUNK, type Hash, leafOf, type Proof, rootOf, Tree } from './merkle.js';

// The published list of a draw. It comes in chunks, each a subtree of the Merkle tree, so that nobody holds a whole list of millions.

const ROOT_BYTES = 32;
/** The bytes of a chunk in the directory: the number of its first entry, and its root. */
const DIRECTORY_BYTES = 8 + ROOT_BYTES;

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

  /**
   * Begins a list.
   *
   * @param take receives each chunk with its number, from 0
   */
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

/** A chunk of a published list. Its tree is built for the first proof, and kept for those that follow. */
export class Chunk {
  /** Its entries, one after the other. */
  readonly bytes: Buffer;
  #tree: Tree | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Finds an entry by its number, as the entries are sorted by theirs. Returns undefined if the chunk does not have it. */
  find(entryNumber: number): { at: number; entry: Buffer; path: Hash[] } | undefined {
    let [from, to] = [0, this.bytes.length / ENTRY_BYTES];
    while (from < to) {
      const at = Math.floor((from + to) / 2);
      const entry = this.bytes.subarray(at * ENTRY_BYTES, (at + 1) * ENTRY_BYTES);
      const number = numberOf(entry);
      if (number === entryNumber) {
        this.#tree ??= new Tree(entriesIn(this.bytes).map(leafOf));
        return { at, entry, path: this.#tree.pathOf(at) };
      }
      if (number < entryNumber) from = at + 1;
      else to = at;
    }
    return undefined;
  }
}

/** The directory of the chunks of a list: where an entry is, and the roots of all chunks. */
export class Directory {
  readonly #firsts: number[];
  readonly #tree: Tree;

  constructor(bytes: Buffer) {
    const count = bytes.length / DIRECTORY_BYTES;
    const parts = Array.from({ length: count }, (_, i) =>
      bytes.subarray(i * DIRECTORY_BYTES, (i + 1) * DIRECTORY_BYTES),
    );
    this.#firsts = parts.map(numberOf);
    this.#tree = new Tree(parts.map(part => part.subarray(DIRECTORY_BYTES - ROOT_BYTES)));
  }

  /** The root of the list. */
  get root(): Hash {
    return this.#tree.root;
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
   * @param chunk the chunk that {@link chunkOf} names
   * @param count the entries of the list
   * @returns undefined if the chunk has no such entry
   */
  prove(entryNumber: number, chunk: Chunk, count: number): (Proof & { entry: Buffer }) | undefined {
    const number = this.chunkOf(entryNumber);
    const found = chunk.find(entryNumber);
    if (number === undefined || !found) return undefined;
    const path = [...found.path, ...this.#tree.pathOf(number)];
    return { entry: found.entry, index: number * CHUNK + found.at, count, path };
  }
}

import { entriesIn } from './list.js';
import { commitmentTo, ENTRY_BYTES, keyOf, lotOf, numberOf } from './lot.js';
import { CHUNK, type Hash, leafOf, rootOf } from './merkle.js';

// Verifies a draw by nothing but what is published of it.

/** The published facts that a verifier needs, with bytes in hexadecimal digits. Each is there once it is known. */
export interface VerifiableDraw {
  commitment: string;
  entries?: number | undefined;
  root?: string | undefined;
  lateEntries?: number | undefined;
  seed?: string | undefined;
  value?: string | undefined;
}

/** An entry with its lot. */
export interface PlacedEntry {
  number: number;
  lot: number;
  /** Whether the entry came back by its receipt after the list was closed. */
  isLate: boolean;
}

/** The findings of a verifier. */
export interface Verdict {
  /** Each difference, as one line of text. */
  faults: string[];
  /** The number of entries that were read, without the late ones. */
  entries: number;
  /** The root of these entries, in hexadecimal digits. */
  root: string;
  /** All entries in the order of their lots; undefined before the order is decided. */
  order: PlacedEntry[] | undefined;
}

/**
 * Verifies a draw: its commitment, the root of its entries, and the order that follows.
 *
 * @param chunks the published list
 * @param late the entries that came after the list was closed, as published ones
 */
export async function verifyDraw(
  draw: VerifiableDraw,
  chunks: AsyncIterable<Buffer>,
  late: AsyncIterable<Buffer>,
): Promise<Verdict> {
  const { seed, root, value } = draw;
  const isDecided = seed !== undefined && root !== undefined && value !== undefined;
  const key = isDecided ? keyOf({ seed: Buffer.from(seed, 'hex'), root: Buffer.from(root, 'hex'), value }) : undefined;
  const list = new ReadList(key);
  for await (const chunk of chunks) list.add(chunk);
  let lateEntries = 0;
  for await (const entry of late) {
    list.place(entry, true);
    lateEntries += 1;
  }
  const found = { entries: list.count, root: list.root.toString('hex') };
  const faults = [...list.faults, ...factFaults(draw, { ...found, lateEntries })];
  return { ...found, faults, order: list.order };
}

function factFaults(
  { commitment, seed, entries, root, lateEntries }: VerifiableDraw,
  found: Pick<Verdict, 'entries' | 'root'> & { lateEntries: number },
): string[] {
  const faults: string[] = [];
  if (seed !== undefined && commitmentTo(Buffer.from(seed, 'hex')).toString('hex') !== commitment) {
    faults.push('the SHA-256 of the seed is not the commitment');
  }
  if (entries !== undefined && entries !== found.entries)
    faults.push(`there are ${found.entries} entries, and not ${entries}`);
  if (root !== undefined && root !== found.root)
    faults.push(`the root of the entries is ${found.root}, and not ${root}`);
  if (lateEntries !== undefined && lateEntries !== found.lateEntries)
    faults.push(`there are ${found.lateEntries} late entries, and not ${lateEntries}`);
  return faults;
}

/** The list as far as it was read. */
class ReadList {
  readonly faults: string[] = [];
  count = 0;
  readonly #key: Uint8Array | undefined;
  readonly #roots: Hash[] = [];
  readonly #placed: PlacedEntry[] = [];
  #last = 0;
  #isOver = false;

  constructor(key: Uint8Array | undefined) {
    this.#key = key;
  }

  get root(): Hash {
    return rootOf(this.#roots);
  }

  get order(): PlacedEntry[] | undefined {
    if (!this.#key) return undefined;
    return this.#placed.sort((a, b) => a.lot - b.lot || a.number - b.number);
  }

  add(chunk: Buffer): void {
    const entries = entriesIn(chunk);
    if (this.#isOver || chunk.length % ENTRY_BYTES !== 0 || entries.length > CHUNK) {
      this.faults.push(`chunk ${this.#roots.length} has another length than a chunk has`);
    }
    this.#isOver = entries.length < CHUNK;
    this.#roots.push(rootOf(entries.map(leafOf)));
    for (const entry of entries) {
      const number = numberOf(entry);
      if (number < this.#last) this.faults.push(`entry ${number} comes after entry ${this.#last}`);
      this.#last = number;
      this.count += 1;
      this.place(entry, false);
    }
  }

  place(entry: Buffer, isLate: boolean): void {
    if (!this.#key) return;
    this.#placed.push({ number: numberOf(entry), lot: lotOf(this.#key, entry.subarray(8)), isLate });
  }
}

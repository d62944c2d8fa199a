import { LATE_FROM, lotsOf } from '../../draw/lot.js';
import { type Draw, readDraw } from '../../postgres/draws/draws.js';
import { countEntries, entryPages, readLastEntry, type StoredEntry } from '../../postgres/draws/entries.js';
import { ahead } from '../../postgres/pages.js';
import { countEntered, type LineFields, readLineCounts } from '../../redis/draw/entries.js';
import type { Sale } from '../../rules/sale.js';
import type { StepContext } from '../../steps/context.js';
import { keepEntries } from '../../steps/line/keep-entries.js';
import { noteMissing } from '../../steps/line/missing-entries.js';

/**
 * Numbers and changes of entries continue from here when a sale is rebuilt, for each ms since joining began. A Redis that was lost may have
 * given out some that nobody else knows, also twice in a row. No Redis lets as many buyers join in a ms.
 */
const PER_MS = 100;

/** How the line of a sale is read: when joining began, in ms, and whether Redis may lack entries that Postgres has. */
interface Read {
  joinsAtMs: number;
  isIncomplete: boolean;
}

/**
 * The line of a sale that buyers join before the opening, as a rebuild writes it. Once the draw is decided, every buyer gets their lot, so
 * making the order and bringing it back after a loss are one thing.
 */
export class Line {
  readonly #ctx: StepContext;
  readonly #draw: Draw;
  readonly #joinsAtMs: number;
  readonly #lotOf: ((buyerId: string) => number) | undefined;
  /** Whether Redis may lack entries that Postgres has. */
  readonly isIncomplete: boolean;
  #entered = 0;

  private constructor(ctx: StepContext, draw: Draw, { joinsAtMs, isIncomplete }: Read) {
    this.#ctx = ctx;
    this.#draw = draw;
    this.#joinsAtMs = joinsAtMs;
    this.isIncomplete = isIncomplete;
    this.#lotOf = lotsOf(draw);
  }

  /** Reads the line of a sale, after Postgres has stored what Redis still has of it; undefined for a sale with a rush. */
  static async read(
    ctx: StepContext,
    { id, opening, opensAtMs, joinsAtMs = opensAtMs }: Sale,
  ): Promise<Line | undefined> {
    if (opening === 'rush') return undefined;
    const known = await countEntered(ctx.redis, id);
    await keepEntries(ctx, id);
    await noteMissing(ctx, id);
    const draw = await readDraw(ctx.db, id);
    if (!draw) throw new Error(`sale ${id} has no draw in Postgres`);
    // Postgres now has all entries that were counted in Redis. So equal numbers are equal sets.
    return new Line(ctx, draw, { joinsAtMs, isIncomplete: known < (await countEntries(ctx.db, id)) });
  }

  /** Tells whether the draw was decided since this line was read: then its order is another one. */
  async isOutdated(): Promise<boolean> {
    const draw = await readDraw(this.#ctx.db, this.#draw.saleId);
    return (draw?.decided === undefined) !== (this.#lotOf === undefined);
  }

  /** Returns the ticket of a buyer in the next content of the sale, by the one that they have. */
  ticketOf(buyerId: string, ticket: number): number {
    if (this.#lotOf === undefined || ticket >= LATE_FROM) return ticket;
    return this.#lotOf(buyerId);
  }

  /** Reads all entries, by pages. */
  async *pages(): AsyncGenerator<StoredEntry[]> {
    for await (const page of ahead(entryPages(this.#ctx.db, this.#draw.saleId, 'all'))) {
      this.#entered += page.length;
      yield page;
    }
  }

  /**
   * Returns the fields of the sale in Redis about its line.
   *
   * @param lastNumber the highest number that was drawn for a ticket in the line
   */
  async fields(lastNumber: number): Promise<LineFields> {
    const { saleId, saltKey } = this.#draw;
    const [known, stored] = [await readLineCounts(this.#ctx.redis, saleId), await readLastEntry(this.#ctx.db, saleId)];
    const since = Math.max(0, PER_MS * (Date.now() - this.#joinsAtMs));
    return {
      draw: this.#lotOf === undefined ? 'joining' : 'ordered',
      entered: this.#lotOf === undefined ? 0 : this.#entered,
      entrySeq: Math.max(known.entrySeq, stored.number, since),
      entryChanges: Math.max(known.entryChanges, stored.change, since),
      standbySeq: Math.max(LATE_FROM, lastNumber),
      saltKey: saltKey.toString('hex'),
    };
  }
}

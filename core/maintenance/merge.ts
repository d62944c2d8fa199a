import { LATE_FROM } from '../draw/lot.js';
import { readOrders } from '../postgres/orders/order-row.js';
import { ORDER_PAGE, orderPages, readLatestOrders, withdrawnPages } from '../postgres/orders/sale-orders.js';
import { ahead } from '../postgres/pages.js';
import { putEntries } from '../redis/draw/entries.js';
import { claimPages, readBuyers, standbyPages } from '../redis/sale/content.js';
import { dealt } from '../redis/sale/dealing.js';
import type { BuyerClaim, Staging, Waiting } from '../redis/sale/staging.js';
import { Units } from '../redis/sale/units.js';
import { type ClaimRecord, isLive, parseClaimRecord } from '../rules/claim.js';
import { claimOf, isLiveOrder, type Order } from '../rules/order.js';
import type { Sale } from '../rules/sale.js';
import type { StepContext } from '../steps/context.js';
import { giveUp } from '../steps/give-up.js';
import { chunks } from '../values/chunks.js';
import type { Reported } from '../values/progress.js';
import type { Line } from './line/line.js';

/** A live claim that only Redis has, with the time of its win in ms. */
type Unplaced = BuyerClaim & { wonAtMs: number };

/** The sale that is merged, and its next content. */
interface MergeParts extends Reported {
  sale: Sale;
  /** Redis's clock at the beginning, in ms: the time of a win that the outbox has lost. */
  atMs: number;
  staging: Staging;
  /** Of a sale that buyers join before the opening. */
  line?: Line | undefined;
}

/**
 * Merges the orders of Postgres with what is left of a sale in Redis, page by page, into its next content. Postgres is right about
 * every claim that has an order. A claim that only Redis knows is kept, or lost if its unit or its buyer has another live claim.
 */
export class Merge {
  readonly #ctx: StepContext;
  readonly #parts: MergeParts;
  readonly #units: Units;
  /** The buyers whose claim seems lost, or whose order did not get its unit. While the sale changes, it may only seem so. */
  readonly #doubtful = new Set<string>();

  constructor(ctx: StepContext, parts: MergeParts) {
    this.#ctx = ctx;
    this.#parts = parts;
    this.#units = new Units(parts.sale.units);
  }

  /** Copies all buyers. The sale may change meanwhile. */
  async copyAll(): Promise<void> {
    const { db, redis } = this.#ctx;
    const { id: saleId } = this.#parts.sale;
    for await (const orders of orderPages(db, this.#parts.sale)) {
      await this.#takeOrders(orders);
      this.#parts.progress?.add(orders.length);
    }
    for await (const page of claimPages(redis, saleId)) {
      const staged = await this.#readStaged(page.map(([buyerId]) => buyerId));
      const others = page.filter(
        ([buyerId, record]) => parseClaimRecord(record).claimId !== staged.get(buyerId)?.claimId,
      );
      await this.#takeDoubtful(others.map(([buyerId]) => buyerId));
    }
    // Buyers with an entry are taken by it. There may be a million, and taking them twice would take twice as long.
    const first = this.#parts.line === undefined ? undefined : LATE_FROM;
    for await (const page of standbyPages(redis, saleId, first)) {
      const buyerIds = page.map(({ buyerId }) => buyerId);
      await this.#takeStandby(this.#parts.sale.perGroup > 0 ? await readBuyers(redis, saleId, buyerIds) : page);
    }
    await this.#takeEntries();
  }

  /**
   * Copies the buyers again who have changed. The sale may change meanwhile, and a buyer who does has to be copied once more.
   *
   * @param changed the ids of the buyers
   * @param units the number of units of the sale, which may have grown
   */
  async copyChanged(changed: readonly string[], units: number): Promise<void> {
    this.#units.growTo(units);
    const pages = this.#pagesWithDoubtful(changed);
    await this.#takeOrdersAgain(pages);
    for (const buyerIds of pages) await this.#takeDoubtful(buyerIds);
    await this.#takeStandbyAgain(pages);
  }

  /**
   * Copies the buyers again who have changed, and decides about the claims that seem lost. The gate of the sale is shut.
   *
   * @param changed the ids of the buyers
   * @param units the number of units of the sale, which may have grown
   * @returns false when a worker has placed one of these claims meanwhile: then all must be merged again
   */
  async copyAgain(changed: readonly string[], units: number): Promise<boolean> {
    this.#units.growTo(units);
    const pages = this.#pagesWithDoubtful(changed);
    await this.#takeOrdersAgain(pages);
    for (const buyerIds of pages) if (!(await this.#giveUp(await this.#takeRemains(buyerIds)))) return false;
    await this.#takeStandbyAgain(pages);
    // A unit that was refunded and stays out of stock is still in its order until then, so it is out of stock either way.
    for await (const page of withdrawnPages(this.#ctx.db, this.#parts.sale.id)) {
      for (const unit of page) this.#units.withdraw(unit);
    }
    await this.#parts.staging.putStock(dealt(this.#units, this.#parts.sale.unitSeed));
    return true;
  }

  #pagesWithDoubtful(changed: readonly string[]): string[][] {
    const pages = [...chunks([...new Set([...changed, ...this.#doubtful])], ORDER_PAGE)];
    this.#doubtful.clear();
    return pages;
  }

  /** All let go of their units before anybody takes one: units may have changed hands among them. */
  async #takeOrdersAgain(pages: readonly string[][]): Promise<void> {
    for (const buyerIds of pages) await this.#drop(buyerIds);
    for (const buyerIds of pages) await this.#takeOrders(await this.#readLatest(buyerIds));
  }

  async #takeStandbyAgain(pages: readonly string[][]): Promise<void> {
    for (const buyerIds of pages)
      await this.#takeStandby(await readBuyers(this.#ctx.redis, this.#parts.sale.id, buyerIds));
  }

  /**
   * Takes orders. If an earlier holder of a unit has not been copied again yet, the order's buyer is doubtful. Otherwise the unit would
   * be free as soon as that holder lets it go.
   */
  async #takeOrders(orders: readonly Order[]): Promise<void> {
    for (const { status, unit, claimId, buyerId } of orders) {
      if (isLiveOrder(status) && !this.#units.hold(unit, claimId)) this.#doubtful.add(buyerId);
    }
    await this.#parts.staging.putClaims(orders.map(claimOf));
  }

  /** Takes what Redis has of some buyers beyond their orders. Those whose claims seem lost are doubtful. */
  async #takeDoubtful(buyerIds: string[]): Promise<void> {
    for (const { buyerId } of await this.#takeRemains(buyerIds)) this.#doubtful.add(buyerId);
  }

  /**
   * Takes what Redis has of some buyers beyond their orders.
   *
   * @returns the claims that seem lost
   */
  async #takeRemains(buyerIds: string[]): Promise<Unplaced[]> {
    const { sale, staging, atMs } = this.#parts;
    const staged = await this.#readStaged(buyerIds);
    const [live, ended]: [Unplaced[], BuyerClaim[]] = [[], []];
    for (const { buyerId, claim, wonAtMs = atMs } of await readBuyers(this.#ctx.redis, sale.id, buyerIds)) {
      const known = staged.get(buyerId);
      if (!claim || claim.claimId === known?.claimId) continue;
      if (isLive(claim.status)) live.push({ ...claim, buyerId, wonAtMs });
      else if (!known) ended.push({ ...claim, buyerId });
    }
    const unplaced = await this.#withoutOrders(live);
    const kept = unplaced.filter(claim => this.#keep(claim, staged.get(claim.buyerId)));
    // A claim without an order has the strikes of the buyer's orders, which are staged already.
    const counted = kept.map(claim => ({ ...claim, strikes: staged.get(claim.buyerId)?.strikes ?? 0 }));
    await staging.putClaims([...ended, ...counted]);
    await staging.putUnplaced(kept);
    return unplaced.filter(claim => !kept.includes(claim));
  }

  /**
   * Leaves out claims that have an order after all: it was placed meanwhile, or Redis is an old copy, and the buyer has bought again
   * since. The order counts.
   */
  async #withoutOrders(live: Unplaced[]): Promise<Unplaced[]> {
    const rows =
      live.length === 0
        ? []
        : await readOrders(
            this.#ctx.db,
            live.map(({ claimId }) => claimId),
          );
    const placed = new Set(rows.map(({ claimId }) => claimId));
    const buyers = live.filter(({ claimId }) => placed.has(claimId)).map(({ buyerId }) => buyerId);
    // An order that was copied for such a buyer before has ended since, and lets its unit go.
    await this.#drop(buyers);
    await this.#takeOrders(await this.#readLatest(buyers));
    return live.filter(({ claimId }) => !placed.has(claimId));
  }

  #keep({ unit, claimId }: Unplaced, known: ClaimRecord | undefined): boolean {
    if ((known && isLive(known.status)) || !this.#units.has(unit) || this.#units.isHeld(unit)) return false;
    this.#units.hold(unit, claimId);
    return true;
  }

  /** Gives up lost claims. Returns false if one of them has an order after all. */
  async #giveUp(lost: Unplaced[]): Promise<boolean> {
    if (lost.length === 0) return true;
    await giveUp(this.#ctx, { saleId: this.#parts.sale.id, claims: lost, why: 'lost' });
    const orders = await this.#readLatest(lost.map(({ buyerId }) => buyerId));
    const claimIds = new Set(lost.map(({ claimId }) => claimId));
    if (orders.some(({ claimId, status }) => claimIds.has(claimId) && isLiveOrder(status))) return false;
    await this.#takeOrders(orders);
    return true;
  }

  async #takeStandby(all: readonly (Pick<Waiting, 'buyerId'> & { ticket: number | undefined })[]): Promise<void> {
    const staged = await this.#readStaged(all.map(({ buyerId }) => buyerId));
    const waiting = all.flatMap(({ ticket, ...buyer }) => {
      const claim = staged.get(buyer.buyerId);
      if (ticket === undefined || (claim && isLive(claim.status))) return [];
      return [{ ...buyer, ticket: this.#parts.line?.ticketOf(buyer.buyerId, ticket) ?? ticket }];
    });
    await this.#parts.staging.putStandby(waiting);
  }

  /** Takes the entries that Postgres has. While Redis takes those of one page, the next ones get their tickets. */
  async #takeEntries(): Promise<void> {
    const { staging, line } = this.#parts;
    if (!line) return;
    for await (const inLine of ahead(this.#entriesInLine(line))) await staging.putStandby(inLine);
  }

  /** Finds the buyers on standby by their entries. A buyer with a claim, live or not, had the turn of their entry. */
  async *#entriesInLine(line: Line): AsyncGenerator<Waiting[]> {
    const { sale, staging } = this.#parts;
    for await (const entries of line.pages()) {
      if (line.isIncomplete) await putEntries(this.#ctx.redis, sale.id, entries);
      const waiting = entries.filter(({ isWaiting }) => isWaiting);
      const buyerIds = staging.counts.claims === 0 ? [] : waiting.map(({ buyerId }) => buyerId);
      const staged = await this.#readStaged(buyerIds);
      const inLine = waiting.filter(({ buyerId }) => staged.get(buyerId) === undefined);
      yield inLine.map(({ buyerId, number, group }) => ({ buyerId, group, ticket: line.ticketOf(buyerId, number) }));
    }
  }

  async #drop(buyerIds: string[]): Promise<void> {
    for (const claim of (await this.#readStaged(buyerIds)).values()) {
      if (claim) this.#units.letGo(claim.unit, claim.claimId);
    }
    await this.#parts.staging.drop(buyerIds);
  }

  async #readStaged(buyerIds: readonly string[]): Promise<Map<string, ClaimRecord | undefined>> {
    const claims = await this.#parts.staging.readClaims(buyerIds);
    return new Map(buyerIds.map((buyerId, i) => [buyerId, claims[i]]));
  }

  #readLatest(buyerIds: string[]): Promise<Order[]> {
    return readLatestOrders(this.#ctx.db, this.#parts.sale, buyerIds);
  }
}

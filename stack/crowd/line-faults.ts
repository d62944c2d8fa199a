import { keyOf, lotOf, saltedId } from '#core/draw/lot.js';
import { type Draw, readDraw } from '#core/postgres/draws/draws.js';
import type { StepContext } from '#core/steps/context.js';
import { chunks } from '#core/values/chunks.js';
import type { BuyerRecord } from './buyer.js';

/** The ids in one statement. */
const IDS_MAX = 5_000;

/** An entry in Postgres. */
interface Stored {
  number: number;
  /** Whether the published list has it. */
  isIn: boolean;
}

/** A buyer who has the receipt of an entry. */
type Joined = BuyerRecord & { entry: number };

/**
 * Finds the answers about the entries of a sale that turned out untrue: an entry with a receipt that Postgres lacks, a buyer with one who
 * was refused, and a buyer who waited in vain while one with a later lot got a unit.
 *
 * @param buyers all who came, with their last answers
 */
export async function lineFaults(
  db: StepContext['db'],
  saleId: string,
  buyers: readonly BuyerRecord[],
): Promise<string[]> {
  const joined = buyers.filter((buyer): buyer is Joined => buyer.entry !== undefined);
  if (joined.length === 0) return [];
  const draw = await readDraw(db, saleId);
  if (!draw) return [`${joined.length} buyers have receipts of entries, and the sale has no line`];
  const stored = await readStored(db, saleId, joined);
  return [...joined.flatMap(buyer => untrueEntry(buyer, stored)), ...passedOver(draw, joined, stored)];
}

async function readStored(
  db: StepContext['db'],
  saleId: string,
  joined: readonly Joined[],
): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>();
  for (const part of chunks(joined, IDS_MAX)) {
    const buyerIds = part.map(({ plan }) => plan.buyerId);
    const select = { buyerId: true, number: true, isIn: true } as const;
    for (const row of await db.entry.findMany({ where: { saleId, buyerId: { in: buyerIds } }, select })) {
      stored.set(row.buyerId, { number: Number(row.number), isIn: row.isIn });
    }
  }
  return stored;
}

function untrueEntry({ plan: { buyerId }, entry, stage }: Joined, stored: ReadonlyMap<string, Stored>): string[] {
  const number = stored.get(buyerId)?.number;
  if (number !== entry) return [`${buyerId} has a receipt of entry ${entry}, and Postgres has ${number ?? 'none'}`];
  return stage === 'sold_out' ? [`${buyerId} joined as entry ${entry}, and was told sold_out`] : [];
}

/** Buyers get units in the order of their lots. An entry that came back after the draw was closed had no turn before. */
function passedOver(draw: Draw, joined: readonly Joined[], stored: ReadonlyMap<string, Stored>): string[] {
  const { saltKey, seed, list, decided } = draw;
  if (!list || !decided) return [];
  const key = keyOf({ seed, root: list.root, value: decided.value });
  const lots = joined
    .filter(({ plan }) => stored.get(plan.buyerId)?.isIn)
    .map(buyer => ({ buyer, lot: lotOf(key, saltedId(saltKey, buyer.plan.buyerId)) }));
  const last = lots.filter(({ buyer }) => buyer.claims.size > 0).sort((a, b) => b.lot - a.lot)[0];
  if (!last) return [];
  return lots
    .filter(({ buyer, lot }) => buyer.stage === 'closed' && buyer.claims.size === 0 && lot < last.lot)
    .map(
      ({ buyer }) => `${buyer.plan.buyerId} waited in vain, and ${last.buyer.plan.buyerId} with a later lot got a unit`,
    );
}

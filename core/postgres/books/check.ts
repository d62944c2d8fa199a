import type { Transaction } from '../database.js';
import type { BrokenRule } from '../money-rules.js';
import {
  type Checkpoint,
  forgetMended,
  hasRoom,
  insertFindings,
  noteEnds,
  readCheckpoint,
  writeCheckpoint,
} from './checkpoint.js';
import {
  BOOKS_RULES,
  type BrokenRows,
  checkAccounts,
  checkFindings,
  checkSale,
  checkTransfers,
  type IdPage,
  type OrderMark,
  type Range,
  walkTransfers,
} from './pages.js';

/** The most pages of new rows in one round. A round continues in the next one, and must release the actor's lock. */
const PAGES_MAX = 50;

/** Reads the next page of a range. */
type Check = (db: Transaction, range: Range) => Promise<IdPage>;

/**
 * Moves the checkpoint of the books on to the rows that are new, and walks one page on through the old ones. Broken rows
 * are kept as findings. Idempotent: a round that was cut off is repeated.
 *
 * @throws Error while the books are broken, after the round's work
 */
export async function checkBooks(db: Transaction): Promise<void> {
  const read = await readCheckpoint(db);
  if (await hasRoom(db)) await checkMore(db, read);
  const broken = await checkFindings(db);
  await forgetMended(db, broken, read.readAt);
  const rules = countRules([broken]).map(({ rule, rows }) => `${rule}: ${rows}`);
  if (rules.length > 0) throw new Error(`the books are broken: ${rules.join(', ')}`);
}

/** Checks the rows that are new, and one page of the old ones. */
async function checkMore(db: Transaction, read: Checkpoint): Promise<void> {
  const moved = read.isCommitted ? await moveOn(db, read) : read;
  const { checkpoint, isWalked } = await walkOn(db, moved);
  await writeCheckpoint(db, checkpoint, { isWalked });
  const isAtEnd = checkpoint.transferId >= read.seenTransferId && checkpoint.accountId >= read.seenAccountId;
  if (read.isCommitted && isAtEnd) await noteEnds(db);
}

/** Checks the rows that are new and committed. */
async function moveOn(db: Transaction, checkpoint: Checkpoint): Promise<Checkpoint> {
  const { transferId, accountId, seenTransferId, seenAccountId } = checkpoint;
  return {
    ...checkpoint,
    transferId: await advance(db, checkTransfers, { after: transferId, upTo: seenTransferId }),
    accountId: await advance(db, checkAccounts, { after: accountId, upTo: seenAccountId }),
  };
}

/**
 * Checks at most {@link PAGES_MAX} pages of a range, and returns the id up to which it is checked. A page with broken
 * rows is the last one of a round, as there may be no room for more findings.
 */
async function advance(db: Transaction, check: Check, { after, upTo }: Required<Range>): Promise<bigint> {
  let checked = after;
  for (let pages = 0; pages < PAGES_MAX && checked < (upTo ?? checked); pages += 1) {
    const { broken, last } = await check(db, { after: checked, upTo });
    await insertFindings(db, broken);
    // The ids of rolled-back transactions are missing, also at the end.
    checked = last ?? upTo ?? checked;
    if (Object.values(broken).some(rows => rows.length > 0)) break;
  }
  return checked;
}

/** Checks one page of the old transfers, and one of the old accounts. */
async function walkOn(db: Transaction, checkpoint: Checkpoint): Promise<{ checkpoint: Checkpoint; isWalked: boolean }> {
  const { transferId, accountId, walkedTransferId, walkedAccountId } = checkpoint;
  const step = async (check: Check, after: bigint, upTo: bigint) => {
    const { broken, last } = await check(db, { after, upTo });
    await insertFindings(db, broken);
    return last ?? upTo;
  };
  const walked = {
    walkedTransferId: await step(walkTransfers, walkedTransferId, transferId),
    walkedAccountId: await step(checkAccounts, walkedAccountId, accountId),
  };
  const isWalked = walked.walkedTransferId >= transferId && walked.walkedAccountId >= accountId;
  return { checkpoint: { ...checkpoint, ...walked }, isWalked };
}

/**
 * Checks the money of a sale from the rows alone, and the books of all sales as far as they are newer than the
 * checkpoint, or known to be broken. A row that somebody changes by hand below the checkpoint is found by the walk of
 * {@link checkBooks}, and then by every audit.
 */
export async function brokenBooks(db: Transaction, saleId: string): Promise<BrokenRule[]> {
  const { transferId, accountId } = await readCheckpoint(db);
  const found: BrokenRows[] = [await checkFindings(db)];
  for (let after: OrderMark | undefined, isOver = false; !isOver; isOver = after === undefined) {
    const page = await checkSale(db, saleId, after);
    found.push(page.broken);
    after = page.last;
  }
  for (const [check, from] of [
    [checkTransfers, transferId],
    [checkAccounts, accountId],
  ] as const) {
    for (let after: bigint | null = from; after !== null; ) {
      const page: IdPage = await check(db, { after });
      found.push(page.broken);
      after = page.last;
    }
  }
  return countRules(found);
}

function countRules(found: BrokenRows[]): BrokenRule[] {
  return (Object.keys(BOOKS_RULES) as (keyof BrokenRows)[])
    .map(key => ({ rule: BOOKS_RULES[key], rows: new Set(found.flatMap(broken => broken[key])).size }))
    .filter(({ rows }) => rows > 0);
}

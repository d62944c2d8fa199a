import { Directory, ListBuilder } from '../../draw/list.js';
import { commitmentTo, publishedEntry } from '../../draw/lot.js';
import { CHUNK } from '../../draw/merkle.js';
import type { Database } from '../../postgres/database.js';
import { type Draw, type DrawnList, readDraw } from '../../postgres/draws/draws.js';
import { entryPages, readEntryCounts } from '../../postgres/draws/entries.js';
import { ahead } from '../../postgres/pages.js';
import { publishAbout, publishChunk, publishDirectory, readDirectory } from '../../redis/draw/publication.js';
import type { StepContext } from '../context.js';

/** The facts of a draw that everybody may read. Bytes are in hexadecimal digits. Each field appears when it is known. */
export interface PublishedDraw {
  saleId: string;
  /** The SHA-256 of the seed. */
  commitment: string;
  valueSource?: string | undefined;
  valueSubstitute?: string | undefined;
  beaconRound?: number | undefined;
  /** The number of entries, once the draw is closed. */
  entries?: number;
  /** The entries of a chunk. */
  chunkEntries?: number;
  root?: string;
  /** The entries that came back by their receipts after the list was closed, without those of buyers who have left since. */
  lateEntries?: number;
  /** The secret, once the order is decided. */
  seed?: string;
  value?: string;
  /** Whether the value is of the substitute. */
  isSubstitute?: boolean;
}

/** Returns what may be published of a draw, without the number of late entries. */
export function publishedOf({ saleId, seed, list, decided, ...draw }: Draw): PublishedDraw {
  const { valueSource, valueSubstitute, beaconRound } = draw;
  return {
    saleId,
    commitment: commitmentTo(seed).toString('hex'),
    valueSource,
    valueSubstitute,
    beaconRound,
    ...(list ? { entries: list.entries, chunkEntries: CHUNK, root: list.root.toString('hex') } : {}),
    ...(list && decided ? { seed: seed.toString('hex'), ...decided } : {}),
  };
}

/** Returns what may be published of a draw now. */
async function publishedNow(db: Database, draw: Draw): Promise<PublishedDraw> {
  if (!draw.list) return publishedOf(draw);
  return { ...publishedOf(draw), lateEntries: (await readEntryCounts(db, draw.saleId)).late };
}

/** Makes the chunks of the list of a closed draw again, from Postgres alone. */
export async function* publishedChunks(db: Database, { saleId, saltKey }: Draw): AsyncGenerator<Buffer> {
  const ready: Buffer[] = [];
  const builder = new ListBuilder(saltKey, async (_, chunk) => void ready.push(chunk));
  for await (const page of entryPages(db, saleId, 'published')) {
    await builder.add(page);
    yield* ready.splice(0);
  }
  await builder.end();
  yield* ready;
}

/** Reads the entries that came after a draw was closed, in the form of published ones. */
export async function* lateEntries(db: Database, { saleId, saltKey, closedAtMs }: Draw): AsyncGenerator<Buffer> {
  if (closedAtMs === undefined) return;
  for await (const page of entryPages(db, saleId, 'late')) yield* page.map(entry => publishedEntry(saltKey, entry));
}

/** Publishes the facts of a draw in Redis, and its list once it is closed. A repeat changes nothing. */
export async function publishDraw(ctx: Pick<StepContext, 'db' | 'redis'>, saleId: string): Promise<void> {
  const draw = await readDraw(ctx.db, saleId);
  if (!draw) return;
  if (draw.list && !(await isPublished(ctx.redis, saleId, draw.list))) await publishList(ctx, draw);
  await publishFacts(ctx, saleId);
}

/**
 * Publishes the facts of a draw in Redis. They are read again afterwards, until they stay the same: another process may have published
 * newer ones in between, which this one has overwritten.
 */
export async function publishFacts({ db, redis }: Pick<StepContext, 'db' | 'redis'>, saleId: string): Promise<void> {
  for (let published = ''; ; ) {
    const draw = await readDraw(db, saleId);
    const about = draw ? JSON.stringify(await publishedNow(db, draw)) : '';
    if (about === published) return;
    await publishAbout(redis, saleId, about);
    published = about;
  }
}

/** Tells whether Redis has a list. Its directory is written after all chunks, into the same hash. */
async function isPublished(redis: StepContext['redis'], saleId: string, { root }: DrawnList): Promise<boolean> {
  const directory = await readDirectory(redis, saleId);
  return directory !== undefined && new Directory(directory).root.equals(root);
}

/**
 * Publishes the list of a closed draw in Redis.
 *
 * @throws Error when the entries are no longer those of the root: a row was changed by hand
 */
export async function publishList(
  { redis, db }: Pick<StepContext, 'db' | 'redis'>,
  { saleId, saltKey, list }: Draw,
): Promise<DrawnList> {
  const builder = new ListBuilder(saltKey, (number, entries) => publishChunk(redis, saleId, { number, entries }));
  for await (const page of ahead(entryPages(db, saleId, 'published'))) await builder.add(page);
  const { entries, root, directory } = await builder.end();
  if (list && !list.root.equals(root)) throw new Error(`the entries of sale ${saleId} are not those of its root`);
  await publishDirectory(redis, saleId, directory);
  return { entries, root };
}

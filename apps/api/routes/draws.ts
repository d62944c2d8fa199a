import { z } from 'zod';
import { saltOf } from '#core/draw/lot.js';
import { readEntry } from '#core/redis/draw/entries.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { entry, ofSale, saleId } from '../answers/fields.js';
import { isInLine } from '../answers/order-answer.js';
import type { Statuses } from '../batching/status-batch.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
import { buyerEndpoint, publicEndpoint } from '../http/endpoint.js';
import type { Admission } from '../load/load.js';
import { closedListOf, type Publications } from '../mirror/publications.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';

/** Seconds for `Retry-After` once a sale has opened: its list is then being closed. */
const CLOSING_RETRY_SECONDS = 2;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const count = z.int().min(0).meta({ description: 'How many entries the list has' });
const root = hex(32).meta({ description: 'Of the Merkle tree over the list (RFC 9162), which names all of it' });

/** The facts of a draw. Each appears when it is known. */
export const DrawFacts = z.strictObject({
  saleId,
  commitment: hex(32).meta({ description: 'The SHA-256 of the seed, from the creation of the sale' }),
  valueSource: z.string().optional().meta({ description: 'Which public value decides with the seed, if one does' }),
  valueSubstitute: z.string().optional().meta({ description: 'Which one decides if that never comes' }),
  beaconRound: z.int().optional().meta({ description: 'The round of a drand beacon whose value decides' }),
  entries: count.optional(),
  chunkEntries: z.int().optional().meta({ description: 'How many of them each part has, the last one excepted' }),
  root: root.optional(),
  lateEntries: z.int().min(0).optional().meta({
    description:
      'How many entries came back by their receipts after the list was closed. It lacks them, and they have lots',
  }),
  seed: hex(32).optional().meta({ description: 'The secret, once the order is decided' }),
  value: z.string().optional().meta({ description: 'The public value; empty without one' }),
  isSubstitute: z.boolean().optional(),
});

const Proof = z.object({
  buyerId: z.string(),
  entry,
  index: z.int().min(0).meta({ description: 'Its place in the list, from 0' }),
  count,
  salt: hex(16).meta({ description: 'The published hash is the SHA-256 of these 16 bytes and the id of the buyer' }),
  published: hex(40).meta({ description: 'The entry as the list has it: its number in 8 bytes, and that hash' }),
  path: z.array(hex(32)).meta({ description: 'The hashes that lead from it to the root, the lowest one first' }),
  root,
});

interface DrawParts {
  readonly sales: Pick<Sales, 'find'>;
  readonly publications: Publications;
  readonly load: Admission;
}

/** Answers with the facts of a draw: the commitment, and later the list and the seed. */
export const draw = publicEndpoint(
  {
    method: 'get',
    path: '/draws/:saleId',
    summary: 'The facts that a draw is checked by',
    params: ofSale,
    replies: { 200: { description: 'Each fact as soon as it is known', body: DrawFacts } },
    problems: ['unknown_sale', 'no_draw'],
  },
  async ({ sales, publications, load }: DrawParts, { saleId }) => {
    load.admit('page');
    await findDraw(sales, saleId);
    const body = await publications.facts(saleId);
    return { status: 200, body, headers: { 'cache-control': 'public, max-age=1' } };
  },
);

/** Answers with a part of the list of a draw, which never changes. */
export const drawEntries = publicEndpoint(
  {
    method: 'get',
    path: '/draws/:saleId/entries/:chunk',
    summary: 'A part of the list of a draw: 40 bytes an entry, sorted by their numbers',
    params: ofSale.extend({
      chunk: z
        .string()
        .regex(/^(0|[1-9]\d{0,6})$/, 'must be the number of a part, from 0')
        .transform(Number)
        .meta({ description: 'The number of the part, from 0' }),
    }),
    replies: { 200: { description: 'The entries', body: z.string(), type: 'application/octet-stream' } },
    problems: ['unknown_sale', 'no_draw', 'unknown_chunk'],
  },
  async ({ sales, publications, load }: DrawParts, { saleId, chunk }) => {
    load.admit('page');
    await findDraw(sales, saleId);
    const list = closedListOf(await publications.facts(saleId));
    if (!list) throw new Problem('unknown_chunk', { detail: 'the list is not closed yet' });
    const chunks = Math.ceil(list.entries / list.chunkEntries);
    if (chunk >= chunks) throw new Problem('unknown_chunk', { detail: `the list has ${chunks} parts, from 0` });
    const { bytes } = await publications.chunk(list, chunk);
    return { status: 200, body: bytes, headers: { 'cache-control': 'public, max-age=31536000, immutable' } };
  },
);

interface ProofParts extends DrawParts {
  readonly redis: Shards;
  readonly statuses: Pick<Statuses, 'read'>;
}

/** Answers with the proof that the buyer's entry is in the list of a draw. */
export const drawProof = buyerEndpoint(
  {
    method: 'get',
    path: '/draws/:saleId/proof',
    summary: "Proves that the buyer's entry is in the list",
    params: ofSale,
    limit: 'polls',
    replies: { 200: { description: 'The proof, for this buyer only', body: Proof } },
    problems: ['unknown_sale', 'no_draw', 'no_entry', 'late_entry', 'not_closed', 'too_many_requests'],
  },
  async (parts: ProofParts, { saleId, buyerId }) => {
    parts.load.admit('poll');
    const sale = await findDraw(parts.sales, saleId);
    const { number, saltKey } = await withDeadline(
      readEntry(parts.redis, saleId, buyerId),
      REDIS_STEP_MS,
      'reading an entry',
    );
    if (number === undefined) throw new Problem('no_entry');
    const body = await proofOf(parts.publications, sale, number);
    if (!body) throw await unproven(parts, saleId, buyerId);
    return { status: 200, body: { buyerId, salt: saltOf(saltKey, buyerId).toString('hex'), ...body } };
  },
);

/** Finds a sale that has a draw. */
async function findDraw(sales: Pick<Sales, 'find'>, saleId: string): Promise<RecentSale> {
  const sale = await sales.find(saleId);
  if (sale.opening === 'rush') throw new Problem('no_draw');
  return sale;
}

/**
 * Proves an entry.
 *
 * @returns undefined if the list does not have it
 * @throws Problem `not_closed`
 */
async function proofOf(
  publications: Publications,
  sale: RecentSale,
  number: number,
): Promise<Omit<z.input<typeof Proof>, 'buyerId' | 'salt'> | undefined> {
  const list = closedListOf(await publications.facts(sale.id));
  if (!list) {
    const seconds = Math.ceil((sale.opensAtMs - redisNowMs(sale)) / SECOND_MS);
    throw new Problem('not_closed', { retryAfterSeconds: Math.max(0, seconds) + CLOSING_RETRY_SECONDS });
  }
  const directory = await publications.directory(list);
  const at = directory.chunkOf(number);
  const chunk = at === undefined ? undefined : await publications.chunk(list, at);
  const proof = chunk && directory.prove(number, chunk, list.entries);
  if (!proof) return undefined;
  const { entry: published, index, count, path } = proof;
  const texts = { published: published.toString('hex'), path: path.map(hash => hash.toString('hex')) };
  return { entry: number, index, count, ...texts, root: list.root };
}

/** Says why an entry has no proof: it came back late, or its buyer left before the list was closed. */
async function unproven({ statuses }: ProofParts, saleId: string, buyerId: string): Promise<Problem> {
  const known = await statuses.read(saleId, buyerId);
  return new Problem(isInLine(known) || known.claim ? 'late_entry' : 'no_entry');
}

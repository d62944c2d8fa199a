import { crc32 } from 'node:zlib';

// Each sale belongs to one of a few buckets, and its keys have the bucket as their hash tag. So a Redis Cluster keeps them
// on one node, together with what scripts write about all sales of the bucket.

/** The number of buckets. It never changes, as the keys of every sale depend on it. */
const BUCKETS = 16;

/**
 * How keys are named. `bucket`: by buckets. `sale`: each sale is a hash tag of its own, and there is one registry, as in earlier
 * versions. `core/redis/layout.ts` moves the keys from one to the other.
 */
export type Layout = 'bucket' | 'sale';

let layout: Layout = 'bucket';

/** Returns the layout that this process works with. */
export function layoutNow(): Layout {
  return layout;
}

/** Lets this process work with a layout. */
export function workWith(next: Layout): void {
  layout = next;
}

/** Returns the number of the bucket of a sale, or of what has another id, from 0. */
export const bucketNumberOf = (id: string): number => crc32(id) % BUCKETS;

/** Builds the hash tag of a sale's bucket. */
export function bucketOf(saleId: string): string {
  return tagOf(bucketNumberOf(saleId));
}

/** Builds the hash tags of all buckets. */
export function bucketTags(): string[] {
  return Array.from({ length: BUCKETS }, (_, bucket) => tagOf(bucket));
}

const tagOf = (bucket: number): string => `{b${String(bucket).padStart(2, '0')}}`;

/** Builds the beginning of a sale's keys. */
export function prefixOf(saleId: string, as: Layout = layout): string {
  return as === 'bucket' ? `${bucketOf(saleId)}:${saleId}` : `{${saleId}}`;
}

/** The Redis keys of one sale that scripts use together. */
export interface SaleKeys {
  sale: string;
  stock: string;
  claims: string;
  outbox: string;
  standby: string;
}

/** Builds the Redis keys of a sale. */
export function keysOf(saleId: string): SaleKeys {
  const prefix = prefixOf(saleId);
  return {
    sale: `${prefix}:sale`,
    stock: `${prefix}:stock`,
    claims: `${prefix}:claims`,
    outbox: `${prefix}:outbox`,
    standby: `${prefix}:standby`,
  };
}

/** Builds the Redis keys of a sale, in the order in which the Lua scripts take them. */
export function allKeysOf(saleId: string): string[] {
  const { sale, stock, claims, outbox, standby } = keysOf(saleId);
  return [sale, stock, claims, outbox, standby];
}

/**
 * Builds the key of the hash that maps claim ids to pay addresses. No script reads the hash, and Postgres has the
 * addresses too.
 */
export function paymentsKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:payments`;
}

/**
 * Builds the key of the sorted set of clicks to pay that nobody has decided about: 'claimId buyerId', with the time in
 * ms by Redis's clock.
 */
export function payClicksKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:pay-clicks`;
}

/** Builds the key of the hash with the counts of the groups of a sale's buyers (lua/include/groups.lua). */
export function groupsKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:groups`;
}

/** Builds the key that exists while a worker places the claims of a sale; it expires unless the worker renews it. */
export function placingKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:placing`;
}

/** Builds the key of the changes of a sale that wait for its next message (lua/include/changes.lua). */
export function newsKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:news`;
}

/** Builds the key of the hash that maps the buyers who joined a sale before its opening to the numbers of their entries. */
export function entriesKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:entries`;
}

/** Builds the key of the sorted set of buyers whose entry Postgres has to store, each with the count of its last change. */
export function unstoredKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:unstored`;
}

/** Builds the key of the hash with what is published of a draw: its facts, and its entries by chunks. */
export function drawKeyOf(saleId: string): string {
  return `${prefixOf(saleId)}:draw`;
}

/**
 * The marks of sales, each a set of its bucket. `unplaced`: the outbox of the sale has claims. `clicked`: it has clicks to pay that
 * nobody has dealt with. `changed`: it has changed since it was last compared with Postgres. `entered`: it has entries that Postgres has to store. The
 * scripts write the marks (lua/include/marks.lua).
 */
export const MARKS = ['unplaced', 'clicked', 'changed', 'entered'] as const;
/** The name of a mark. */
export type Mark = (typeof MARKS)[number];

/** Builds the key of the sales of a bucket that have a mark. */
export function markKeyOf(tag: string, mark: Mark): string {
  return `${tag}:${mark}`;
}

/** Builds the channel on which the Lua scripts publish the changes of a sale (lua/include/changes.lua). */
export function channelOf(saleId: string): string {
  return `{${saleId}}:changes`;
}

/**
 * The registry of a layout without buckets. Afterwards the key holds a text, so that processes of an earlier version, which
 * expect a hash, load no sale any more.
 */
export const OLD_REGISTRY = 'dropline:sales';

/**
 * Builds the key of the registry that has a sale: a hash that maps each sale that Redis should know to its generation, the count
 * of its changes. Its field {@link REGISTRY_RUN} holds the run id of Redis for which the registry is complete. A complete
 * registry tells a sale that does not exist (404) from one that Redis lost (503).
 */
export function registryKeyOf(saleId: string, as: Layout = layout): string {
  return as === 'bucket' ? `${bucketOf(saleId)}:sales` : OLD_REGISTRY;
}

/**
 * Builds the keys of the registries of some buckets: one for each.
 *
 * @param tags the hash tags of the buckets; of all if not given
 */
export function registryKeys(tags: readonly string[] = bucketTags()): string[] {
  return layout === 'bucket' ? tags.map(tag => `${tag}:sales`) : [OLD_REGISTRY];
}

/** The registry's field for the run id of Redis for which it is complete. No sale id can equal it. */
export const REGISTRY_RUN = '@run';

/**
 * The registry's field for the time at which it was last found complete, in ms by Redis's clock. No sale id can equal
 * it.
 */
export const REGISTRY_AT = '@at';

/** The id whose bucket has what belongs to no sale. */
export const COMMON = '';

/**
 * The sorted set of the running API processes: the random name of each one, with the time of its last sign of life in
 * ms by Redis's clock.
 */
export const API_PROCESSES = 'dropline:apis';

/** Builds the key of the running API processes. On a cluster it belongs to a bucket. */
export function apiProcessesKeyOf({ isOfCluster }: { isOfCluster: boolean }): string {
  return isOfCluster ? `${bucketOf(COMMON)}:apis` : API_PROCESSES;
}

/**
 * Builds a key of a bucket that never exists. Each script on a Redis Cluster names it. While a slot moves to another node, a
 * script that names an absent key beside others is refused as a whole. So it never runs on half of the keys of a sale.
 */
export function guardKeyOf(tag: string): string {
  return `${tag}:never`;
}

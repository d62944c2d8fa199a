/**
 * The keys of one sale. Their common hash tag puts them on one node of a Redis Cluster, where a script reaches them
 * all.
 */
export interface SaleKeys {
  sale: string;
  stock: string;
  claims: string;
  outbox: string;
  standby: string;
}

/** Builds the keys of a sale. */
export function keysOf(saleId: string): SaleKeys {
  const tag = `{${saleId}}`;
  return {
    sale: `${tag}:sale`,
    stock: `${tag}:stock`,
    claims: `${tag}:claims`,
    outbox: `${tag}:outbox`,
    standby: `${tag}:standby`,
  };
}

/** Builds the keys of a sale, in the order in which scripts take them. */
export function allKeysOf(saleId: string): string[] {
  const { sale, stock, claims, outbox, standby } = keysOf(saleId);
  return [sale, stock, claims, outbox, standby];
}

/**
 * Builds the key of the hash with pay addresses by claim id. No script reads it, and Postgres has the addresses too.
 */
export function paymentsKeyOf(saleId: string): string {
  return `{${saleId}}:payments`;
}

/** Builds the channel on which the scripts publish changes (lua/include/changes.lua). */
export function channelOf(saleId: string): string {
  return `{${saleId}}:changes`;
}

/**
 * The registry: a hash from sale id to generation of the sales that Redis should know. The field {@link REGISTRY_RUN}
 * holds the run id of Redis for which the registry is complete. It tells a sale that does not exist (404) from one that
 * Redis lost (503).
 */
export const REGISTRY = 'dropline:sales';

/** A field that no sale id can equal. */
export const REGISTRY_RUN = '@run';

/**
 * The field for the time at which the registry was last found complete, in ms by Redis's clock. No sale id can equal
 * it.
 */
export const REGISTRY_AT = '@at';

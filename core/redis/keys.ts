/** The keys of one sale. Their common hash tag puts them on one node of a Redis Cluster, where a script can reach them all. */
export interface SaleKeys {
  sale: string;
  stock: string;
  claims: string;
  outbox: string;
  standby: string;
}

/**
 * @param saleId the sale
 * @returns the names of its keys
 */
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

/**
 * @param saleId the sale
 * @returns the same, in the order in which the scripts take all of them
 */
export function allKeysOf(saleId: string): string[] {
  const { sale, stock, claims, outbox, standby } = keysOf(saleId);
  return [sale, stock, claims, outbox, standby];
}

/**
 * @param saleId the sale
 * @returns the hash of the addresses where its buyers pay, by claim id; no script reads it, as Postgres has them, too
 */
export function paymentsKeyOf(saleId: string): string {
  return `{${saleId}}:payments`;
}

/**
 * @param saleId the sale
 * @returns the channel on which the scripts tell what changes (lua/include/changes.lua)
 */
export function channelOf(saleId: string): string {
  return `{${saleId}}:changes`;
}

/**
 * The sales that Redis should know: a hash of sale id to generation, and under {@link REGISTRY_RUN} the run id of Redis
 * for which the list is whole. It tells a sale that doesn't exist (404) from one that Redis lost (503).
 */
export const REGISTRY = 'dropline:sales';

/** Not a possible sale id. */
export const REGISTRY_RUN = '@run';

/** Beside it: when the list was last found whole, in ms by Redis's clock. Not a possible sale id either. */
export const REGISTRY_AT = '@at';

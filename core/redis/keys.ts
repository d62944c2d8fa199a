/**
 * The Redis keys of one sale. Their common hash tag puts them on one node of a Redis Cluster, where one script can use
 * them all.
 */
export interface SaleKeys {
  sale: string;
  stock: string;
  claims: string;
  outbox: string;
  standby: string;
}

/** Builds the Redis keys of a sale. */
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
  return `{${saleId}}:payments`;
}

/**
 * Builds the key of the sorted set of clicks to pay that nobody has decided about: 'claimId buyerId', with the time in
 * ms by Redis's clock.
 */
export function payClicksKeyOf(saleId: string): string {
  return `{${saleId}}:pay-clicks`;
}

/** Builds the key that exists while a worker places the claims of a sale; it expires unless the worker renews it. */
export function placingKeyOf(saleId: string): string {
  return `{${saleId}}:placing`;
}

/** Builds the channel on which the Lua scripts publish the changes of a sale (lua/include/changes.lua). */
export function channelOf(saleId: string): string {
  return `{${saleId}}:changes`;
}

/**
 * The registry: a hash that maps each sale that Redis should know to its generation, the count of its changes. Its
 * field {@link REGISTRY_RUN} holds the run id of Redis for which the registry is complete. A complete registry tells a
 * sale that does not exist (404) from one that Redis lost (503).
 */
export const REGISTRY = 'dropline:sales';

/** The registry's field for the run id of Redis for which it is complete. No sale id can equal it. */
export const REGISTRY_RUN = '@run';

/**
 * The registry's field for the time at which it was last found complete, in ms by Redis's clock. No sale id can equal
 * it.
 */
export const REGISTRY_AT = '@at';

/**
 * The sorted set of the running API processes: the random name of each one, with the time of its last sign of life in
 * ms by Redis's clock.
 */
export const API_PROCESSES = 'dropline:apis';

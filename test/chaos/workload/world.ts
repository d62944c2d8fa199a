import type { NewSale } from '#core/operator/create-sale.js';
import { bucketOf, bucketTags } from '#core/redis/keys.js';
import type { Shards } from '#core/redis/shards.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import type { Connections } from '#stack/stores/connections.js';
import type { SaleFacts } from '../history/claim-view.js';

/** The price of one unit in every sale, in minor units. */
export const PRICE_MINOR = 500;

/** With this number of units a sale can't run out in a day of chaos. */
const PLENTY = 10_000;

/** After this time the crowd turns to the next small sale, in ms. */
const SMALL_FOR_MS = 20 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Picks the settings of sales that the checks need. */
export function factsOf(sales: readonly NewSale[]): SaleFacts[] {
  return sales.map(({ id, units, opensAtMs, closesAtMs, standbyFactor, settlement, provider }) => ({
    id,
    units,
    opensAtMs,
    closesAtMs,
    settlement,
    provider,
    standby: standbyFactor > 0,
  }));
}

/** The sales of a run, by the id of each. */
export interface World {
  sales: NewSale[];
  /** Have a unit for every buyer. */
  big: readonly string[];
  /** Have few units for many buyers, who mostly give them back. Each small sale is used for 20 s. */
  small(elapsedMs: number): readonly string[];
  /** Have a standby. */
  standby: readonly string[];
  /** Takes the payment as the order is placed. */
  immediate: string;
  /** Are paid at a provider: one with a unit for every buyer, one with few, and one that always returns late money. */
  elsewhere: readonly string[];
  /** Are for the probes, which try all the time whether a claim is placed. */
  probes: readonly string[];
}

/** The length of a run, in ms, and whether its Redis is a cluster, whose nodes share the sales. */
export interface WorldOptions {
  runMs: number;
  isOnCluster: boolean;
}

/** Creates the sales of a run. On a cluster twelve are sold at once, and each bucket of sales has a probe besides. */
export async function createWorld(
  connections: Connections<Shards>,
  { runMs, isOnCluster }: WorldOptions,
): Promise<World> {
  const sales: NewSale[] = [];
  const create = async (id: string, wishes: Partial<NewSale>): Promise<string> => {
    const sale = await createOpenSale(connections, {
      id,
      units: PLENTY,
      priceMinor: PRICE_MINOR,
      payWithinSeconds: 3,
      standbyFactor: 0,
      // A little before now: the clock of the clients and of Redis is the same, but is read at different times.
      opensAtMs: Date.now() - SECOND_MS,
      closesAtMs: Date.now() + runMs + HOUR_MS,
      ...wishes,
    });
    sales.push(sale);
    return id;
  };
  const createAll = (ids: readonly string[], wishes: Partial<NewSale>) =>
    Promise.all(ids.map(id => create(id, wishes)));
  const times = isOnCluster ? 3 : 1;
  // Several at once share the buyers, and have fewer units.
  const few = isOnCluster ? 4 : 12;
  const small = await Promise.all(
    Array.from({ length: times * (Math.ceil(runMs / SMALL_FOR_MS) + 1) }, (_, i) =>
      create(`small-${i + 1}`, { units: few + (i % 3) * (isOnCluster ? 3 : 8) }),
    ),
  );
  return {
    sales,
    big: await createAll(numbered('big', times), {}),
    small: elapsedMs => small.slice(times * Math.floor(elapsedMs / SMALL_FOR_MS)).slice(0, times),
    standby: await createAll(numbered('standby', isOnCluster ? 2 : 1), { units: 25, standbyFactor: 2 }),
    immediate: await create('immediate', { settlement: 'immediate' }),
    elsewhere: [
      await create('elsewhere', { provider: 'signed-webhook' }),
      await create('elsewhere-few', { provider: 'signed-webhook', units: 20 }),
      await create('elsewhere-strict', { provider: 'signed-webhook', lateMoney: 'refund' }),
    ],
    probes: await createAll(isOnCluster ? inEachBucket('probe') : ['probe'], {}),
  };
}

const numbered = (name: string, count: number): string[] =>
  count === 1 ? [name] : Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

/** Builds ids with this beginning, one for each bucket of sales. */
function inEachBucket(name: string): string[] {
  const ids = new Map<string, string>();
  for (let i = 1; ids.size < bucketTags().length; i += 1) {
    const id = `${name}-${i}`;
    if (!ids.has(bucketOf(id))) ids.set(bucketOf(id), id);
  }
  return [...ids.values()];
}

import { createHash } from 'node:crypto';
import { createSale, type NewSale } from '#core/operator/create-sale.js';
import type { ValueSources } from '#core/postgres/draws/draws.js';
import { bucketOf, bucketTags } from '#core/redis/keys.js';
import type { Shards } from '#core/redis/shards.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import type { OpeningKind } from '#core/rules/sale.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import type { Connections } from '#stack/stores/connections.js';
import type { SaleFacts } from '../history/claim-view.js';

/** The openings of a run: a rush in all sales, or draws besides. `mixed` has both kinds of draws. */
export const RUN_OPENINGS = ['rush', 'shuffle', 'draw', 'mixed'] as const;
/** The opening of a run. */
export type RunOpening = (typeof RUN_OPENINGS)[number];

/** The price of one unit in every sale, in minor units. */
export const PRICE_MINOR = 500;

/** With this number of units a sale can't run out in a day of chaos. */
const PLENTY = 10_000;

/** After this time the crowd turns to the next small sale, in ms. */
const SMALL_FOR_MS = 20 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The rules of a strict sale: two chances, a second to pay a unit that came back, two units for a group, and passes. */
const STRICT = { coarseStock: true, unpaidLimit: 2, retryPayWithinSeconds: 1, perGroup: 2, needsPass: true } as const;

/** The most tries for a pass, where it costs work: some milliseconds. */
export const PASS_WORK = 20;

/** The regulars of one family. */
const FAMILY = 3;

/** Returns the group in a buyer's token: a family for regulars, none for guests. */
export function groupOf(buyerId: string): string | undefined {
  const number = /^regular-(\d+)$/.exec(buyerId)?.[1];
  return number === undefined ? undefined : `family-${Math.ceil(Number(number) / FAMILY)}`;
}

/** Picks the settings of sales that the checks need. */
export function factsOf(sales: readonly NewSale[]): SaleFacts[] {
  return sales.map(sale => ({
    id: sale.id,
    units: sale.units,
    opensAtMs: sale.opensAtMs,
    closesAtMs: sale.closesAtMs,
    settlement: sale.settlement,
    provider: sale.provider,
    standby: sale.standbyFactor > 0,
    hasDraw: sale.opening !== 'rush',
    unpaidLimit: sale.unpaidLimit,
    perGroup: sale.perGroup,
    needsPass: sale.needsPass,
  }));
}

/** The sales that buyers join before the opening. */
export interface Draws {
  all: readonly Pick<NewSale, 'id' | 'opensAtMs'>[];
  /** Await a public value, which an operator gives. */
  withValue: readonly string[];
  /** Returns those that buyers come to at a time: before their opening, and shortly after it. */
  busy(nowMs: number): readonly string[];
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
  /** Let nobody hold units without paying again and again, and sell for passes. Each is used for as long as a small one. */
  strict(elapsedMs: number): readonly string[];
  /** Takes the payment as the order is placed. */
  immediate: string;
  /** Are paid at a provider: one with a unit for every buyer, one with few, and one that always returns late money. */
  elsewhere: readonly string[];
  /** Are for the probes, which try all the time whether a claim is placed. */
  probes: readonly string[];
  draws: Draws;
}

/** The length of a run, in ms, and whether its Redis is a cluster, whose nodes share the sales. */
export interface WorldOptions {
  runMs: number;
  isOnCluster: boolean;
  opening: RunOpening;
}

/** Creates the sales of a run. On a cluster twelve are sold at once, and each bucket of sales has a probe besides. */
export async function createWorld(
  connections: Connections<Shards>,
  { runMs, isOnCluster, opening }: WorldOptions,
): Promise<World> {
  const sales: NewSale[] = [];
  const create = async (id: string, wishes: Partial<NewSale>, sources: ValueSources = {}): Promise<string> => {
    const sale = ordinarySale({
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
    if (!(await createSale(connections, sale, sources))) throw new Error(`there is a sale ${id} already`);
    sales.push(sale);
    return id;
  };
  const createAll = (ids: readonly string[], wishes: Partial<NewSale>) =>
    Promise.all(ids.map(id => create(id, wishes)));
  const times = isOnCluster ? 3 : 1;
  // Redis loses data in a run with draws, and nothing keeps a standby then.
  const canStandBy = opening === 'rush';
  // Several at once share the buyers, and have fewer units.
  const few = isOnCluster ? 4 : 12;
  const small = await Promise.all(
    Array.from({ length: times * (Math.ceil(runMs / SMALL_FOR_MS) + 1) }, (_, i) =>
      create(`small-${i + 1}`, { units: few + (i % 3) * (isOnCluster ? 3 : 8) }),
    ),
  );
  const rounds = Math.ceil(runMs / SMALL_FOR_MS) + 1;
  const strict = await Promise.all(
    Array.from({ length: times * rounds }, (_, i) =>
      create(`strict-${i + 1}`, { ...strictRules(i), standbyFactor: canStandBy ? i % 2 : 0 }),
    ),
  );
  const draws = await createDraws({ create, runMs, opening });
  return {
    sales,
    big: await createAll(numbered('big', times), {}),
    small: elapsedMs => small.slice(times * Math.floor(elapsedMs / SMALL_FOR_MS)).slice(0, times),
    standby: await createAll(numbered('standby', !canStandBy ? 0 : isOnCluster ? 2 : 1), {
      units: 25,
      standbyFactor: 2,
    }),
    strict: elapsedMs => strict.slice(times * Math.floor(elapsedMs / SMALL_FOR_MS)).slice(0, times),
    immediate: await create('immediate', { settlement: 'immediate' }),
    elsewhere: [
      await create('elsewhere', { provider: 'signed-webhook' }),
      await create('elsewhere-few', { provider: 'signed-webhook', units: 20 }),
      await create('elsewhere-strict', { provider: 'signed-webhook', lateMoney: 'refund' }),
    ],
    probes: await createAll(isOnCluster ? inEachBucket('probe') : ['probe'], {}),
    draws,
  };
}

/** Returns the rules of the strict sale with this number. Each has another mix: units by lot, work for a pass, a payment provider. */
function strictRules(number: number): Partial<NewSale> {
  return {
    ...STRICT,
    units: 4 + (number % 3) * 2,
    passWork: number % 2 === 0 ? PASS_WORK : 0,
    provider: number % 3 === 1 ? 'signed-webhook' : 'wallet',
    ...(number % 4 < 2 && { unitSeed: createHash('sha256').update(`seed ${number}`).digest('hex') }),
  };
}

/** A draw opens this often, in ms, and buyers join it for twice as long. The last one has time to come to its end. */
const DRAW_EVERY_MS = 5 * SECOND_MS;
const LAST_DRAW_MS = 6 * SECOND_MS;

interface DrawsToCreate {
  create(id: string, wishes: Partial<NewSale>, sources?: ValueSources): Promise<string>;
  runMs: number;
  opening: RunOpening;
}

/** Creates the draws of a run. Each has few units for many buyers, and every third one awaits a public value. */
async function createDraws({ create, runMs, opening }: DrawsToCreate): Promise<Draws> {
  const count = opening === 'rush' ? 0 : Math.max(1, Math.floor((runMs - LAST_DRAW_MS) / DRAW_EVERY_MS));
  const kindOf = (i: number): OpeningKind =>
    opening === 'mixed' || opening === 'rush' ? ((['draw', 'shuffle'] as const)[i % 2] ?? 'draw') : opening;
  const startMs = Date.now();
  const all: { id: string; opensAtMs: number }[] = [];
  const withValue: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const opensAtMs = startMs + (i + 1) * DRAW_EVERY_MS;
    const sources = i % 3 === 2 ? { valueSource: 'the numbers of the day' } : {};
    const times = { joinsAtMs: startMs - SECOND_MS, opensAtMs };
    const id = await create(
      `draw-${i + 1}`,
      { units: 3 + (i % 3), standbyFactor: 20, opening: kindOf(i), ...times },
      sources,
    );
    all.push({ id, opensAtMs });
    if (sources.valueSource) withValue.push(id);
  }
  // The one that opens next has most of the buyers, then the one after it, and then the one that has just opened.
  const busy = (nowMs: number) => {
    const next = Math.floor((nowMs - startMs) / DRAW_EVERY_MS);
    return [next, next, next + 1, next - 1].flatMap(i => all[i]?.id ?? []);
  };
  return { all, withValue, busy };
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

import { randomUUID } from 'node:crypto';
import { insertShopAccounts } from '#core/postgres/money/wallet.js';
import { insertSale } from '#core/postgres/sales.js';
import { claim } from '#core/redis/claims/claim.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import type { TestStores } from './stores/stores.js';

const HOUR_MS = 3_600_000;

/** Creates a sale of three units that opened an hour ago, with an id of its own. */
export function aSale(wanted: Partial<Sale> = {}): Sale {
  const id = `sale-${randomUUID().slice(0, 8)}`;
  const opensAtMs = Date.now() - HOUR_MS;
  return { ...ordinarySale({ id, units: 3, opensAtMs, payWithinSeconds: 600, standbyFactor: 0 }), ...wanted };
}

/** Creates a claim of unit 1, with a buyer and an id of its own. */
export function aClaim(wanted: Partial<Claim> = {}): Claim {
  return { buyerId: `buyer-${randomUUID().slice(0, 8)}`, claimId: randomUUID(), unit: 1, ...wanted };
}

/** Stores a sale in Postgres, with the accounts of its shop, and loads the sale into Redis. */
export async function openTestSale(stores: TestStores, wanted: Partial<Sale> = {}): Promise<Sale> {
  const sale = aSale(wanted);
  await insertSale(stores.db, sale);
  await insertShopAccounts(stores.db, sale.currency);
  await openSale(stores.redis, sale);
  return sale;
}

/**
 * Claims units for several buyers in one batch.
 *
 * @returns the claims of the winners
 */
export async function win(
  stores: Pick<StepContext, 'redis'>,
  sale: Pick<Sale, 'id'>,
  ...buyerIds: string[]
): Promise<Claim[]> {
  const outcomes = await claim(
    stores.redis,
    sale.id,
    buyerIds.map(buyerId => ({ buyerId, claimId: randomUUID() })),
  );
  return outcomes.flatMap(outcome => (outcome.kind === 'won' ? [outcome.claim] : []));
}

/**
 * Claims a unit for one buyer.
 *
 * @throws when the buyer wins none
 */
export async function winOne(
  stores: Pick<StepContext, 'redis'>,
  sale: Pick<Sale, 'id'>,
  buyerId: string,
): Promise<Claim> {
  const [won] = await win(stores, sale, buyerId);
  if (!won) throw new Error(`${buyerId} got no unit of ${sale.id}`);
  return won;
}

/** Returns the ids of `count` buyers: `<name>1`, `<name>2` and so on. */
export function buyers(count: number, name = 'buyer'): string[] {
  return Array.from({ length: count }, (_, i) => `${name}${i + 1}`);
}

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, jest } from '@jest/globals';
import { insertShopAccounts } from '#core/postgres/money/wallet.js';
import { insertSale } from '#core/postgres/sales.js';
import { claim } from '#core/redis/claims/claim.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { connectStores } from '#stack/stores/connections.js';
import { startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { createMigratedDatabase } from './shared-postgres.js';

const READY_MS = 10_000;
/** Tests race steps with each other. */
const DATABASE_CONNECTIONS = 16;
/** Starting a Redis again on a busy machine takes longer than jest's 5 s. */
const TEST_TIMEOUT_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What a step works with, on a Redis and a migrated database that belong to one test file. */
export interface TestStores extends StepContext {
  databaseUrl: string;
  redisUrl: string;
  /**
   * kill -9, and a start on the same folder and port; returns when the connection is ready again.
   *
   * @param meanwhile does something to its folder while it is down
   */
  restartRedis(meanwhile?: (folder: string) => Promise<void>): Promise<void>;
  redisFolder: string;
}

/**
 * Starts a private Redis, and makes a private database, before the tests of the file that calls it, and ends them after.
 *
 * @returns the stores; they are there once the tests run
 */
export function useStores(): TestStores {
  const stores = {} as TestStores;
  let close: (() => Promise<void>) | undefined;
  jest.setTimeout(TEST_TIMEOUT_MS);
  beforeAll(async () => {
    const opened = await openStores();
    close = opened.close;
    Object.assign(stores, opened.stores);
  });
  afterAll(() => close?.());
  return stores;
}

async function openStores(): Promise<{ stores: TestStores; close(): Promise<void> }> {
  const redisFolder = await createTemporaryFolder();
  let server = await startRedis({ dir: redisFolder });
  const [redisUrl, databaseUrl] = [server.url, await createMigratedDatabase()];
  const connections = await connectStores(redisUrl, databaseUrl, DATABASE_CONNECTIONS);
  const restartRedis: TestStores['restartRedis'] = async meanwhile => {
    await server.kill();
    await meanwhile?.(redisFolder);
    server = await startRedis({ dir: redisFolder, port: server.port });
    await connections.redis.ping().catch(() => waitUntilReady(connections.redis, READY_MS));
  };
  const close = async () => {
    await connections.close();
    await server.stop();
    await removeTemporaryFolder(redisFolder);
  };
  return { stores: { ...connections, databaseUrl, redisUrl, redisFolder, restartRedis }, close };
}

/** @returns a sale that is open now, like no other */
export function aSale(wanted: Partial<Sale> = {}): Sale {
  const id = `sale-${randomUUID().slice(0, 8)}`;
  const opensAtMs = Date.now() - HOUR_MS;
  return { ...ordinarySale({ id, units: 3, opensAtMs, payWithinSeconds: 600, standbyFactor: 0 }), ...wanted };
}

/** @returns a claim of a buyer like no other */
export function aClaim(wanted: Partial<Claim> = {}): Claim {
  return { buyerId: `buyer-${randomUUID().slice(0, 8)}`, claimId: randomUUID(), unit: 1, ...wanted };
}

/** Stores a sale in Postgres, with the accounts it needs, and loads it into Redis. */
export async function openTestSale(stores: TestStores, wanted: Partial<Sale> = {}): Promise<Sale> {
  const sale = aSale(wanted);
  await insertSale(stores.db, sale);
  await insertShopAccounts(stores.db, sale.currency);
  await openSale(stores.redis, sale);
  return sale;
}

/**
 * Has buyers claim in one batch.
 *
 * @returns the claims of those who won
 */
export async function win(
  stores: Pick<TestStores, 'redis'>,
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

/** Has one buyer claim who must win. */
export async function winOne(
  stores: Pick<TestStores, 'redis'>,
  sale: Pick<Sale, 'id'>,
  buyerId: string,
): Promise<Claim> {
  const [won] = await win(stores, sale, buyerId);
  if (!won) throw new Error(`${buyerId} got no unit of ${sale.id}`);
  return won;
}

/** @returns `count` buyers, `<name>1` and so on */
export function buyers(count: number, name = 'buyer'): string[] {
  return Array.from({ length: count }, (_, i) => `${name}${i + 1}`);
}

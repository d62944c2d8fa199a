import type { PaymentProvider } from '../payments/provider.js';
import type { Database } from '../postgres/database.js';
import type { Logger } from '../process/logger.js';
import type { Queues } from '../queue/queues.js';
import type { Shards } from '../redis/shards.js';
import type { ProviderName } from '../rules/sale.js';
import type { Beacon } from './line/beacon.js';

/** The clients that steps use: Redis, Postgres, the queues, and the log. */
export interface StepContext {
  redis: Shards;
  db: Database;
  queues: Queues;
  log: Logger;
  /** The clients of payment providers besides the wallet. Only a worker talks to them. */
  providers?: Providers;
  /** The beacon whose values decide draws; undefined when this process has none. */
  beacon?: Beacon | undefined;
  /** The shop's webhook for notices about orders; undefined when the shop wants none. */
  shop?: ShopEndpoint | undefined;
}

/** The clients of payment providers that a process has, by name. */
export type Providers = Partial<Record<ProviderName, PaymentProvider>>;

/** The address of the shop's webhook, and the key with which Dropline signs its calls. */
export interface ShopEndpoint {
  url: string;
  secret: string;
}

/**
 * Returns the client of a payment provider.
 *
 * @throws Error when this process has no such provider: the settings are missing
 */
export function providerOf(ctx: StepContext, name: ProviderName): PaymentProvider {
  const provider = ctx.providers?.[name];
  if (!provider) throw new Error(`no payment provider ${name}: set PAYMENT_PROVIDER_URL and PAYMENT_PROVIDER_KEY`);
  return provider;
}

import type { PaymentProvider } from '../payments/provider.js';
import type { Database } from '../postgres/database.js';
import type { Logger } from '../process/logger.js';
import type { Queues } from '../queue/queues.js';
import type { Redis } from '../redis/connection.js';
import type { ProviderName } from '../rules/sale.js';

/** What a step works with: both stores, the queues, and where it reports. */
export interface StepContext {
  redis: Redis;
  db: Database;
  queues: Queues;
  log: Logger;
  /** Who takes money besides the wallet. Only a worker talks to them, and only where one is set up. */
  providers?: Providers;
  /** Where the shop wants to be told; undefined when it doesn't. */
  shop?: ShopEndpoint | undefined;
}

export type Providers = Partial<Record<ProviderName, PaymentProvider>>;

/** Where the shop takes its webhooks, and the key that they are signed with. */
export interface ShopEndpoint {
  url: string;
  secret: string;
}

/**
 * @param ctx the stores and the providers
 * @param name a payment's provider; the wallet has no payments besides its orders
 * @returns the provider
 * @throws when this process has none of this name: the settings say where it is
 */
export function providerOf(ctx: StepContext, name: ProviderName): PaymentProvider {
  const provider = ctx.providers?.[name];
  if (!provider) throw new Error(`no payment provider ${name}: set PAYMENT_PROVIDER_URL and PAYMENT_PROVIDER_KEY`);
  return provider;
}

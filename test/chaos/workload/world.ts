import type { NewSale } from '#core/operator/create-sale.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { MINUTE_MS, pause, SECOND_MS } from '#core/rules/clock.js';
import { openDrop } from '#stack/crowd/drop.js';
import type { Connections } from '#stack/stores/connections.js';
import type { SaleFacts } from '../history/claim-view.js';
import type { History } from '../history/history.js';
import type { Random } from './random.js';

/** What one unit costs in every sale, in minor units. */
export const PRICE_MINOR = 500;

/** Units with which a sale can't run out in a day of chaos. */
const PLENTY = 10_000;

/** After this time the crowd turns to the next small sale, in ms. */
const SMALL_FOR_MS = 20 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * @param sales as they were made
 * @returns what the checks need of them
 */
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

/** Where the crowd goes. */
export interface World {
  sales: NewSale[];
  /** Units for everybody. */
  big: string;
  /** Few units for many, and those who don't pay give them back; one after the other. */
  small(elapsedMs: number): string;
  /** With a line of buyers who wait for what comes back. */
  line: string;
  /** Paid as it is placed. */
  immediate: string;
  /** Paid at a provider: with units for everybody, with few, and one where late money always goes back. */
  elsewhere: readonly string[];
  /** Where a fresh buyer tries all the time whether a claim is placed. */
  probe: string;
}

/**
 * Makes the sales.
 *
 * @param connections both stores
 * @param runMs how long the crowd will be there, in ms
 * @returns the sales
 */
export async function makeWorld(connections: Connections, runMs: number): Promise<World> {
  const sales: NewSale[] = [];
  const make = async (id: string, wishes: Partial<NewSale>): Promise<string> => {
    const sale = await openDrop(connections, {
      id,
      units: PLENTY,
      priceMinor: PRICE_MINOR,
      payWithinSeconds: 3,
      standbyFactor: 0,
      // A little earlier than now: the clients' clock and Redis's are the same, but read at different times.
      opensAtMs: Date.now() - SECOND_MS,
      closesAtMs: Date.now() + runMs + HOUR_MS,
      ...wishes,
    });
    sales.push(sale);
    return id;
  };
  const small = await Promise.all(
    Array.from({ length: Math.ceil(runMs / SMALL_FOR_MS) + 1 }, (_, i) =>
      make(`small-${i + 1}`, { units: 12 + (i % 3) * 8 }),
    ),
  );
  return {
    sales,
    big: await make('big', {}),
    small: elapsedMs => small[Math.min(small.length - 1, Math.floor(elapsedMs / SMALL_FOR_MS))] as string,
    line: await make('line', { units: 25, standbyFactor: 2 }),
    immediate: await make('immediate', { settlement: 'immediate' }),
    elsewhere: [
      await make('elsewhere', { provider: 'signed-webhook' }),
      await make('elsewhere-few', { provider: 'signed-webhook', units: 20 }),
      await make('elsewhere-strict', { provider: 'signed-webhook', lateMoney: 'refund' }),
    ],
    probe: await make('probe', {}),
  };
}

/** Every fifth buyer has nothing. */
const isRich = (number: number): boolean => number % 5 !== 0;
const WALLET_MINOR = 4 * PRICE_MINOR;
const CREDIT_CHUNK = 5_000;

/**
 * Gives most buyers money.
 *
 * @param connections both stores
 * @param history notes it as one credit
 * @param buyerIds the crowd, in its order
 */
export async function fillWallets(connections: Connections, history: History, buyerIds: string[]): Promise<void> {
  const rich = buyerIds.filter((_, i) => isRich(i));
  const settle = history.invoke({ call: 'credit', saleId: '-', buyerId: '*', amountMinor: rich.length * WALLET_MINOR });
  for (let i = 0; i < rich.length; i += CREDIT_CHUNK) {
    await creditWallets(connections.db, rich.slice(i, i + CREDIT_CHUNK), {
      amountMinor: WALLET_MINOR,
      currency: 'EUR',
    });
  }
  settle('ok', { http: 200 });
}

const CREDIT_MINOR = 250;
const BANK_EVERY_MS = 400;
const BANK = `
  SELECT (SELECT coalesce(sum(balance_minor), 0) FROM accounts WHERE kind = 'buyer') AS buyers,
         (SELECT coalesce(min(balance_minor), 0) FROM accounts WHERE kind = 'buyer') AS lowest,
         (SELECT coalesce(sum(CASE kind WHEN 'capture' THEN amount_minor WHEN 'refund' THEN -amount_minor END), 0) FROM transfers) AS shop,
         (SELECT coalesce(sum(amount_minor), 0) FROM transfers WHERE kind = 'credit') AS credited,
         (SELECT coalesce(sum(CASE a.id WHEN t.debit_account_id THEN t.amount_minor ELSE -t.amount_minor END), 0)
          FROM accounts a JOIN transfers t ON a.id IN (t.debit_account_id, t.credit_account_id)
          WHERE a.kind = 'external' AND t.kind <> 'credit') AS provider`;

/** Runs one statement on a connection of its own. */
export type Query = (sql: string) => Promise<Record<string, string>[]>;

/**
 * Goes on putting money into wallets, and looks at all of it after each time.
 *
 * @param connections both stores
 * @param query reads the books
 * @param history notes credits and looks
 * @param buyerIds the crowd
 * @param random chooses who gets money
 * @param signal ends it
 */
export async function keepBooks(
  connections: Connections,
  query: Query,
  history: History,
  buyerIds: string[],
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const buyerId = random.pick(buyerIds);
    const settle = history.invoke({ call: 'credit', saleId: '-', buyerId, amountMinor: CREDIT_MINOR });
    await creditWallets(connections.db, [buyerId], { amountMinor: CREDIT_MINOR, currency: 'EUR' }).then(
      () => settle('ok', { http: 200 }),
      () => settle('info', { http: 0 }),
    );
    await lookAtBooks(query, history).catch(() => undefined);
    await pause(BANK_EVERY_MS, signal);
  }
}

/**
 * Notes all the money there is, at one instant of Postgres.
 *
 * @param query reads the books
 * @param history where it is noted
 * @throws when Postgres doesn't answer
 */
export async function lookAtBooks(query: Query, history: History): Promise<void> {
  const atMs = Date.now();
  const [row] = await query(BANK);
  if (!row) throw new Error('the books can not be read');
  const { buyers, shop, credited, provider, lowest } = row;
  history.note({
    type: 'bank',
    atMs,
    readAtMs: Date.now(),
    buyersMinor: Number(buyers),
    shopMinor: Number(shop),
    creditedMinor: Number(credited),
    providerMinor: Number(provider),
    lowestMinor: Number(lowest),
  });
}

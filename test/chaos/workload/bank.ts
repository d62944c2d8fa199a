import { creditWallets } from '#core/postgres/money/wallet.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { Connections } from '#stack/stores/connections.js';
import type { History } from '../history/history.js';
import type { Query } from './query.js';
import type { Random } from './random.js';
import { PRICE_MINOR } from './world.js';

/** Every fifth buyer has no money. */
const isRich = (number: number): boolean => number % 5 !== 0;
const WALLET_MINOR = 4 * PRICE_MINOR;
const CREDIT_CHUNK = 5_000;

/** Gives money to most buyers, and records it as one credit. */
export async function fillWallets(
  connections: Pick<Connections, 'db'>,
  history: History,
  buyerIds: string[],
): Promise<void> {
  const rich = buyerIds.filter((_, i) => isRich(i));
  const amountMinor = rich.length * WALLET_MINOR;
  const complete = history.invoke({ call: 'credit', saleId: '-', buyerId: '*', amountMinor });
  for (let i = 0; i < rich.length; i += CREDIT_CHUNK) {
    await creditWallets(connections.db, rich.slice(i, i + CREDIT_CHUNK), {
      amountMinor: WALLET_MINOR,
      currency: 'EUR',
    });
  }
  complete('ok', { http: 200 });
}

const CREDIT_MINOR = 250;
const BANK_EVERY_MS = 400;
const BANK = `
  SELECT (SELECT coalesce(sum(balance_minor), 0) FROM accounts WHERE kind = 'buyer') AS buyers,
         (SELECT coalesce(min(balance_minor), 0) FROM accounts WHERE kind = 'buyer') AS lowest,
         (SELECT coalesce(sum(CASE WHEN kind IN ('capture', 'dispute_reversal') THEN amount_minor WHEN kind IN ('refund', 'dispute') THEN -amount_minor END), 0) FROM transfers) AS shop,
         (SELECT coalesce(sum(amount_minor), 0) FROM transfers WHERE kind = 'credit') AS credited,
         (SELECT coalesce(sum(CASE a.id WHEN t.debit_account_id THEN t.amount_minor ELSE -t.amount_minor END), 0)
          FROM accounts a JOIN transfers t ON a.id IN (t.debit_account_id, t.credit_account_id)
          WHERE a.kind = 'external' AND t.kind <> 'credit') AS provider`;

/** The parts of the bank workload. */
export interface BankOptions {
  connections: Pick<Connections, 'db'>;
  query: Query;
  history: History;
  buyerIds: string[];
  /** Chooses the buyer of a credit. */
  random: Random;
  /** Ends the workload. */
  signal: AbortSignal;
}

/** Puts money into wallets until the signal fires, and reads all money after each credit. */
export async function runBank({ connections, query, history, buyerIds, random, signal }: BankOptions): Promise<void> {
  while (!signal.aborted) {
    const buyerId = random.pick(buyerIds);
    const complete = history.invoke({ call: 'credit', saleId: '-', buyerId, amountMinor: CREDIT_MINOR });
    await creditWallets(connections.db, [buyerId], { amountMinor: CREDIT_MINOR, currency: 'EUR' }).then(
      () => complete('ok', { http: 200 }),
      () => complete('info', { http: 0 }),
    );
    await readBank(query, history).catch(() => undefined);
    await pauseUntil(BANK_EVERY_MS, signal);
  }
}

/**
 * Reads all money at one instant of Postgres, and records it.
 *
 * @throws when Postgres doesn't answer
 */
export async function readBank(query: Query, history: History): Promise<void> {
  const atMs = Date.now();
  const [row] = await query(BANK);
  if (!row) throw new Error('the read of all money has no row');
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

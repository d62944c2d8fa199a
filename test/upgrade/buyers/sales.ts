import type { SaleFacts } from '../../chaos/history/claim-view.js';
import type { Query } from '../../chaos/workload/query.js';
import type { Random } from '../../chaos/workload/random.js';
import type { Visit } from '../../chaos/workload/visit.js';
import { PRICE_MINOR } from '../../chaos/workload/world.js';
import { cli, type Version } from '../rig/version.js';

/** A sale of an upgrade, and the buyers it draws. */
export interface SaleWish {
  id: string;
  units: number;
  /** Further options of `cli sale create`. */
  options: readonly string[];
  /** Of the buyers who come while it is open, how many come here, in relation to the other sales. */
  weight: number;
  /** The ways in which a buyer treats a unit, each equally likely. */
  withUnit: readonly Visit['withUnit'][];
  /** Where a provider takes the money: when buyers may pay there. */
  elsewhere?: readonly NonNullable<Visit['elsewhere']>[];
  /** How many times a buyer comes back after an end. */
  returns: number;
  /** If given, only this many different buyers come, again and again. */
  regulars?: number;
}

/** Short, so that deadlines pass while processes are replaced; in s. */
const PAY_WITHIN_SECONDS = 3;

/** Creates a sale with the command line of one version. The sale is open at once. */
export async function createSale(
  version: Version,
  wish: SaleWish,
  environment: Record<string, string>,
): Promise<SaleFacts> {
  const required = ['--id', wish.id, '--units', `${wish.units}`, '--price', `${PRICE_MINOR}`];
  const args = [...required, '--pay-within', `${PAY_WITHIN_SECONDS}`, ...wish.options, '--json'];
  const sale = JSON.parse(await cli(version, ['sale', 'create', ...args], environment));
  return {
    id: sale.id,
    units: sale.units,
    opensAtMs: Date.parse(sale.opensAt),
    closesAtMs: Date.parse(sale.closesAt),
    settlement: sale.settlement,
    provider: sale.provider,
    standby: sale.standbyFactor > 0,
  };
}

/** Plans a buyer's visit to one of the open sales. */
export function planVisit(open: readonly SaleWish[], random: Random, buyerId: string): Visit {
  const sale = random.pick(open.flatMap(wish => Array.from({ length: wish.weight }, () => wish)));
  return {
    saleId: sale.id,
    buyerId: sale.regulars === undefined ? buyerId : `regular-${random.between(1, sale.regulars)}`,
    clicks: random.chance(0.15) ? random.between(2, 4) : 1,
    withUnit: random.pick(sale.withUnit),
    ...(sale.elsewhere ? { elsewhere: random.pick(sale.elsewhere) } : {}),
    returns: sale.returns,
  };
}

/**
 * Puts money into wallets from outside, in plain SQL, as a command for each of them takes a second. The account that the money
 * comes from is there since the first sale was made.
 *
 * @param query runs one statement
 * @param buyerIds of buyers without a wallet
 * @param amountMinor how much each gets, in minor units
 */
export async function fillWallets(query: Query, buyerIds: readonly string[], amountMinor: number): Promise<void> {
  const owners = buyerIds.map(buyerId => `('${buyerId}')`).join(', ');
  await query(`
    WITH wallets AS (
      INSERT INTO accounts (kind, owner, currency, balance_minor)
      SELECT 'buyer', owner, 'EUR', ${amountMinor} FROM (VALUES ${owners}) AS b (owner) RETURNING id)
    INSERT INTO transfers (kind, debit_account_id, credit_account_id, amount_minor, currency)
    SELECT 'credit', outside.id, wallets.id, ${amountMinor}, 'EUR' FROM wallets
    JOIN accounts outside ON outside.kind = 'external' AND outside.owner = 'world' AND outside.currency = 'EUR'`);
}

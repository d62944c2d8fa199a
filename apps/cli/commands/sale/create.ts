import { type Command, Option } from 'commander';
import type { NewSale } from '#core/operator/create-sale.js';
import type { SaleOverview } from '#core/operator/sale-overview.js';
import type { ValueSources } from '#core/postgres/draws/draws.js';
import { DAY_MS } from '#core/rules/clock.js';
import { formatMoney } from '#core/rules/money.js';
import {
  LATE_MONEY,
  type LateMoney,
  PROVIDER_NAMES,
  type ProviderName,
  type Settlement,
  UNITS_MAX,
} from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { saleTitle } from '#core/values/text.js';
import { CommandError } from '../../failure.js';
import { parseAmount, parseBy, parseCurrency, parseId, parseWhole } from '../../options.js';
import { print, printJson } from '../../print.js';
import { withStores } from '../../stores.js';
import { parseTime } from '../../time.js';
import { addHolding, type HoldingOptions, holdingMistake, holdingOf } from './holding.js';
import { addOpening, joinsAtOf, type OpeningOptions, openingMistake, sourcesOf } from './opening.js';
import { addRobots, type RobotOptions, robotMistake, robotRulesOf } from './robots.js';

/** The default time between the opening and the closing of a sale, in ms. */
const OPEN_FOR_MS = DAY_MS;

/**
 * The default time to pay an order, in s: long enough to find a credit card. Buyers on standby, who wait for unpaid
 * units, need it short.
 */
const PAY_WITHIN_SECONDS = 900;
const PAY_WITHIN_SECONDS_MAX = 30 * 24 * 3_600;

/**
 * The default length of a sale's standby, the list of buyers who get units that come back: this many buyers per unit.
 */
const STANDBY_FACTOR = 5;
const STANDBY_FACTOR_MAX = 100;

/**
 * The longest pause between two purchases of a buyer that a sale may set, in s. A pause of more than a day is a rule
 * for the whole shop.
 */
const MIN_SECONDS_BETWEEN_MAX = 24 * 3_600;

/** The flags of the option for the price. It is parsed once the currency is known, which decides what a minor unit is. */
const PRICE = '--price <minor>';

interface Options extends OpeningOptions, HoldingOptions, RobotOptions {
  id: string;
  units: number;
  price: string;
  currency: string;
  opens: number;
  closes?: number;
  payWithin: number;
  settlement: Settlement;
  provider: ProviderName;
  lateMoney: LateMoney;
  standbyFactor: number;
  oneAtATime?: true;
  minSecondsBetween: number;
  title?: string;
  json?: true;
}

/** Adds the command `sale create`, which creates a sale in Postgres and Redis. */
export function addSaleCreate(sale: Command): void {
  const command = sale
    .command('create')
    .description('create a sale; after a crash, the same command finishes it')
    .requiredOption('--id <id>', 'id of the sale, its name in URLs', parseId)
    .requiredOption('--units <n>', 'the number of units', parseWhole(1, UNITS_MAX))
    .requiredOption(PRICE, 'the price of one unit, in minor units')
    .option('--currency <code>', 'ISO 4217', parseCurrency, 'EUR');
  addTimes(command);
  addOpening(command);
  addPayment(command);
  addFairness(command);
  addHolding(command);
  addRobots(command);
  command
    .option('--title <text>', 'title on the page (default: the id)', parseBy(saleTitle))
    .option('--json', 'print one line of JSON')
    .action((options: Options) => {
      const { currency, price, closes: closesAtMs = options.opens + OPEN_FOR_MS } = options;
      const sale = saleOf(options, {
        priceMinor: parseAmount(command, PRICE, { text: price, currency, min: 0 }),
        closesAtMs,
      });
      const mistake = mistakeIn(sale, options);
      if (mistake) command.error(mistake, { exitCode: 2 });
      return withStores(async ctx => {
        const created = await create(ctx, sale, await sourcesOf(options, sale.opensAtMs));
        if (options.json) printJson(created.sale);
        else print(lineOf(created));
      });
    });
}

function addTimes(command: Command): void {
  const moment = (text: string) => parseTime(text);
  const opens = new Option('--opens <time>', 'opening time: now, +10s, +5m, +1h, +1d or ISO 8601');
  command
    .addOption(opens.argParser(moment).default(Date.now(), 'now'))
    .option('--closes <time>', 'closing time, in the same forms (default: 24 h after opening)', moment)
    .option(
      '--pay-within <seconds>',
      'time to pay an order after placing',
      parseWhole(1, PAY_WITHIN_SECONDS_MAX),
      PAY_WITHIN_SECONDS,
    );
}

function addPayment(command: Command): void {
  const settlement = new Option('--settlement <how>', 'when the wallet is debited');
  const provider = new Option('--provider <name>', 'where buyers pay');
  const lateMoney = new Option(
    '--late-money <what>',
    'for money that arrives after the order has ended: take a unit again, or give the money back',
  );
  command
    .addOption(settlement.choices(['deferred', 'immediate']).default('deferred'))
    .addOption(provider.choices(PROVIDER_NAMES).default('wallet'))
    .addOption(lateMoney.choices(LATE_MONEY).default('regrab'));
}

function addFairness(command: Command): void {
  command
    .option(
      '--standby-factor <n>',
      'size of the standby, as a multiple of the units',
      parseWhole(0, STANDBY_FACTOR_MAX),
      STANDBY_FACTOR,
    )
    .option('--one-at-a-time', 'refuse a buyer whose other purchase is neither paid nor ended')
    .option(
      '--min-seconds-between <seconds>',
      'pause after a win of the same buyer, across sales; 0 for none',
      parseWhole(0, MIN_SECONDS_BETWEEN_MAX),
      0,
    );
}

/**
 * Checks options of `sale create` against each other.
 *
 * @returns the message for a contradiction; undefined when there is none
 */
function mistakeIn(sale: NewSale, options: Options): string | undefined {
  const { opensAtMs, closesAtMs, priceMinor, provider, settlement } = sale;
  if (provider !== 'wallet' && (settlement === 'immediate' || priceMinor === 0)) {
    return '--provider signed-webhook needs --settlement deferred and a price';
  }
  if (closesAtMs <= opensAtMs) return '--closes must be after --opens';
  if (closesAtMs <= Date.now()) return '--closes must be in the future';
  return openingMistake(options, sale) ?? holdingMistake(options, sale) ?? robotMistake(options, sale);
}

function saleOf(options: Options, derived: Pick<NewSale, 'priceMinor' | 'closesAtMs'>): NewSale {
  const { id, units, currency, settlement, provider, lateMoney, standbyFactor, title = id } = options;
  return {
    id,
    title,
    units,
    currency,
    settlement,
    provider,
    lateMoney,
    standbyFactor,
    opensAtMs: options.opens,
    ...derived,
    payWithinSeconds: options.payWithin,
    opening: options.opening,
    joinsAtMs: joinsAtOf(options, options.opens),
    onePurchaseAtATime: options.oneAtATime === true,
    minSecondsBetweenPurchases: options.minSecondsBetween,
    ...holdingOf(options),
    ...robotRulesOf(options),
  };
}

/**
 * The outcome of `sale create`. `created`: the sale is new. `completed`: an earlier call left the sale in Postgres
 * only, and Redis has it now.
 */
interface Created {
  kind: 'created' | 'completed';
  sale: SaleOverview;
}

async function create(ctx: StepContext, sale: NewSale, sources: ValueSources): Promise<Created> {
  const { createSale } = await import('#core/operator/create-sale.js');
  const { overviewOf } = await import('#core/operator/sale-overview.js');
  const { readSale } = await import('#core/postgres/sales.js');
  const isNew = await createSale(ctx, sale, sources);
  if (!isNew) await complete(ctx, sale.id);
  const stored = await readSale(ctx.db, sale.id);
  if (!stored) throw new CommandError(`sale ${sale.id} vanished from Postgres while it was created`);
  return { kind: isNew ? 'created' : 'completed', sale: await overviewOf(ctx, stored) };
}

function lineOf({ kind, sale }: Created): string {
  const { id, units, priceMinor, currency, opening, joinsAt, opensAt, closesAt } = sale;
  const done = kind === 'created' ? 'created' : 'was already in Postgres, with these settings, and is now in Redis';
  const joining = joinsAt === null ? '' : `; a ${opening}, which buyers may join from ${joinsAt} on`;
  return `sale ${id} ${done}: ${units} units at ${formatMoney(priceMinor, currency)}, ${opensAt} to ${closesAt}${joining}`;
}

/**
 * Loads into Redis a sale that a crash of `sale create` left in Postgres only. The settings stored in Postgres count,
 * not those of this call.
 */
async function complete(ctx: StepContext, saleId: string): Promise<void> {
  const { rebuild } = await import('#core/maintenance/rebuild.js');
  const { readLoadedSale } = await import('#core/redis/sale/sale.js');
  if (await readLoadedSale(ctx.redis, saleId)) {
    throw new CommandError(`sale ${saleId} exists already: give the new one another --id`);
  }
  await rebuild(ctx, saleId);
}

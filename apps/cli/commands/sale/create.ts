import { type Command, InvalidArgumentError, Option } from 'commander';
import { rebuild } from '#core/maintenance/rebuild.js';
import { createSale, type NewSale } from '#core/operator/create-sale.js';
import { overviewOf, type SaleOverview } from '#core/operator/sale-overview.js';
import { readSale } from '#core/postgres/sales.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { MINUTE_MS } from '#core/rules/clock.js';
import { formatMoney } from '#core/rules/money.js';
import {
  AMOUNT_MINOR_MAX,
  LATE_MONEY,
  type LateMoney,
  PROVIDER_NAMES,
  type ProviderName,
  type Settlement,
  UNITS_MAX,
} from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { CommandError } from '../../failure.js';
import { parseMoment } from '../../moment.js';
import { parseCurrency, parseId, parseWhole } from '../../options.js';
import { print, printJson } from '../../print.js';
import { withStores } from '../../stores.js';

/** How long a sale is open unless told otherwise, in ms. */
const OPEN_FOR_MS = 24 * 60 * MINUTE_MS;

/** Long enough to find a credit card, short enough that the line moves; in seconds. */
const PAY_WITHIN_SECONDS = 900;
const PAY_WITHIN_SECONDS_MAX = 30 * 24 * 3_600;

/** The line is this many times as long as the stock. */
const STANDBY_FACTOR = 5;
const STANDBY_FACTOR_MAX = 100;

/** A pause of more than a day is a rule for the shop, not for its drops. */
const MIN_SECONDS_BETWEEN_MAX = 24 * 3_600;

const TITLE_MAX = 200;

interface Options {
  id: string;
  units: number;
  price: number;
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

/** @param sale gets `create` */
export function addSaleCreate(sale: Command): void {
  const moment = (text: string) => parseMoment(text);
  const command = sale
    .command('create')
    .description('make a sale; when a crash left it half made, doing it again finishes it')
    .requiredOption('--id <id>', 'its name in URLs', parseId)
    .requiredOption('--units <n>', 'how many there are', parseWhole(1, UNITS_MAX))
    .requiredOption('--price <minor>', 'of one unit, in minor units', parseWhole(0, AMOUNT_MINOR_MAX))
    .option('--currency <code>', 'ISO 4217', parseCurrency, 'EUR')
    .addOption(
      new Option('--opens <time>', 'now, +10s, +5m, +1h, +1d or ISO 8601').argParser(moment).default(Date.now(), 'now'),
    )
    .option('--closes <time>', 'in the same forms (default: 24 h after it opens)', moment)
    .option('--pay-within <seconds>', 'after placing', parseWhole(1, PAY_WITHIN_SECONDS_MAX), PAY_WITHIN_SECONDS)
    .addOption(
      new Option('--settlement <how>', 'when the wallet is debited')
        .choices(['deferred', 'immediate'])
        .default('deferred'),
    )
    .addOption(new Option('--provider <name>', 'who takes the money').choices(PROVIDER_NAMES).default('wallet'))
    .addOption(
      new Option('--late-money <what>', 'of a provider, after the order has ended: take a unit again, or give it back')
        .choices(LATE_MONEY)
        .default('regrab'),
    )
    .option(
      '--standby-factor <n>',
      'line, as a multiple of the units',
      parseWhole(0, STANDBY_FACTOR_MAX),
      STANDBY_FACTOR,
    )
    .option('--one-at-a-time', 'refuse buyers while another purchase of theirs is neither paid nor ended')
    .option(
      '--min-seconds-between <seconds>',
      'pause after a buyer won, across sales; 0 for none',
      parseWhole(0, MIN_SECONDS_BETWEEN_MAX),
      0,
    )
    .option('--title <text>', 'what the page calls it (default: its id)', parseTitle)
    .option('--json', 'one line of JSON');
  command.action((options: Options) => {
    const { closes = options.opens + OPEN_FOR_MS } = options;
    if (options.provider !== 'wallet' && (options.settlement === 'immediate' || options.price === 0)) {
      command.error('--provider signed-webhook needs --settlement deferred and a price', { exitCode: 2 });
    }
    if (closes <= options.opens) command.error('--closes must be after --opens', { exitCode: 2 });
    if (closes <= Date.now()) command.error('--closes must be in the future', { exitCode: 2 });
    return withStores(ctx => create(ctx, saleOf(options, closes), options.json === true));
  });
}

function parseTitle(text: string): string {
  const title = text.trim();
  if (title.length === 0 || title.length > TITLE_MAX)
    throw new InvalidArgumentError(`It must have 1 to ${TITLE_MAX} characters.`);
  return title;
}

function saleOf(options: Options, closesAtMs: number): NewSale {
  const { id, units, currency, settlement, provider, lateMoney, standbyFactor, title = id } = options;
  const window = { opensAtMs: options.opens, closesAtMs };
  return {
    id,
    title,
    units,
    currency,
    settlement,
    provider,
    lateMoney,
    standbyFactor,
    ...window,
    priceMinor: options.price,
    payWithinSeconds: options.payWithin,
    onePurchaseAtATime: options.oneAtATime === true,
    minSecondsBetweenPurchases: options.minSecondsBetween,
  };
}

async function create(ctx: StepContext, sale: NewSale, json: boolean): Promise<void> {
  const created = await createSale(ctx, sale);
  if (!created) await load(ctx, sale.id);
  const stored = await readSale(ctx.db, sale.id);
  if (!stored) throw new CommandError(`sale ${sale.id} vanished from Postgres while it was made`);
  const overview = await overviewOf(ctx, stored);
  if (json) printJson(overview);
  else print(lineOf(overview, created));
}

function lineOf({ id, units, priceMinor, currency, opensAt, closesAt }: SaleOverview, created: boolean): string {
  const done = created ? 'created' : 'was in Postgres already, as it is here, and is loaded into Redis now';
  return `sale ${id} ${done}: ${units} units at ${formatMoney(priceMinor, currency)}, ${opensAt} to ${closesAt}`;
}

/** Only for a sale that a crash left half made; whatever Postgres has of it counts. */
async function load(ctx: StepContext, saleId: string): Promise<void> {
  if (await readLoadedSale(ctx.redis, saleId)) {
    throw new CommandError(`sale ${saleId} exists already: give the new one another --id`);
  }
  await rebuild(ctx, saleId);
}

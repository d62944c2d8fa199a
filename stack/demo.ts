import { Command } from 'commander';
import { changeSale } from '#core/operator/change-sale.js';
import type { NewSale } from '#core/operator/create-sale.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { type GivenSettings, readGiven } from '#core/process/config.js';
import { startAnnouncedStack } from './announced-stack.js';
import { buyElsewhere } from './crowd/buy-elsewhere.js';
import type { BuyerPlan } from './crowd/buyer.js';
import { createBuyerPlans, startCrowd } from './crowd/crowd.js';
import { createOpenSale } from './crowd/open-sale.js';
import { Progress } from './crowd/progress.js';
import { exitCodeOf, reckon, untilAtRest, type Verdict } from './crowd/reckoning.js';
import { showCrowd } from './crowd/show-crowd.js';
import { startFakeProvider } from './fake-provider/start.js';
import { parseCount, parseShare } from './processes/command-line.js';
import { type Lifetime, startLifetime } from './processes/lifetime.js';
import { preferredPort } from './processes/preferred-port.js';
import { createSecrets, type Secrets } from './secrets.js';
import type { Stack } from './stack.js';
import { type Connections, connectStores } from './stores/connections.js';
import { startPrivateStores } from './stores/private-stores.js';

// `npm run demo`: a whole sale on this machine, with a crowd and a proof, and then a second sale for the visitor.

const SALE_ID = 'demo';
/** The second sale, in which the visitor can buy on the page and pay at the fake provider. */
const OWN_SALE_ID = 'try-it';
const OWN_UNITS = 10;
const PORT = 3_000;
const ADMIN_PORT = 3_001;
const CLICKS_MAX = 4;
const ARRIVE_WITHIN_MS = 1_500;
/** A unit that comes back is offered a few times at most, because most buyers pay. A slow machine needs longer. */
const PATIENCE_MS = 240_000;
const REST_DEADLINE_MS = 30_000;
/** How long one look waits for the sale to be at rest, while all unfinished buyers are on standby. */
const GLANCE_MS = 300;

interface DemoOptions {
  units: number;
  buyers: number;
  payWithin: number;
  payShare: number;
  exit: boolean;
  json: boolean;
}

function readOptions(): DemoOptions {
  return new Command('npm run demo --')
    .description('A whole sale on this machine: stores, processes and a crowd of simulated buyers.')
    .option('--units <n>', 'units for sale', parseCount, 100)
    .option('--buyers <n>', 'simulated buyers', parseCount, 2_000)
    .option('--pay-within <seconds>', 'how long an order waits for its payment', parseCount, 5)
    .option('--pay-share <0..1>', 'how many of the buyers pay', parseShare, 0.85)
    .option('--exit', 'end after the sale instead of staying up', false)
    .option('--json', 'the result as one JSON line on standard output', false)
    .parse()
    .opts<DemoOptions>();
}

/** The program itself: its options, its output and its end. */
interface Program {
  options: DemoOptions;
  progress: Progress;
  lifetime: Lifetime;
}

/** The processes and the connections of a demo. */
interface Running {
  stack: Stack;
  secrets: Secrets;
  connections: Connections;
}

async function startEverything({ lifetime, progress }: Program): Promise<Running> {
  progress.step('Starting a private Redis and Postgres ...');
  const [port, adminPort] = [await preferredPort(PORT), await preferredPort(ADMIN_PORT)];
  // The provider starts while the stores do.
  const starting = startFakeProvider(`http://127.0.0.1:${port}/webhooks/payments/signed-webhook`);
  lifetime.beforeEnd(() => starting.then(provider => provider.stop()).catch(() => undefined));
  const stores = await startPrivateStores();
  lifetime.beforeEnd(() => stores.stop());
  const { settings: payments } = await starting;
  progress.step('Starting API, worker and admin ...');
  const secrets = createSecrets();
  const { LOG_LEVEL = 'warn' } = readGiven();
  const settings: GivenSettings = { GUEST_TOKENS: '1', LOG_LEVEL, ...payments };
  const { redisUrl, databaseUrl } = stores;
  const tell = (line: string) => progress.step(line);
  const stack = await startAnnouncedStack(
    { redisUrl, databaseUrl, secrets, port, adminPort, settings, tell },
    lifetime,
  );
  const connections = await connectStores(redisUrl, databaseUrl);
  lifetime.beforeEnd(() => connections.close());
  return { stack, secrets, connections };
}

async function fillWallets({ db }: Connections, plans: BuyerPlan[], sale: NewSale): Promise<void> {
  const payers = plans.filter(({ withUnit }) => withUnit === 'pay').map(({ buyerId }) => buyerId);
  await creditWallets(db, payers, { amountMinor: sale.priceMinor, currency: sale.currency });
}

async function sell({ options, progress, lifetime }: Program, running: Running): Promise<Verdict> {
  const { stack, secrets, connections } = running;
  const sale = await createOpenSale(connections, {
    id: SALE_ID,
    units: options.units,
    payWithinSeconds: options.payWithin,
  });
  const { buyers, payShare } = options;
  const plans = createBuyerPlans({ buyers, prefix: 'buyer-', clicksMax: CLICKS_MAX, payShare, others: 'leave' });
  await fillWallets(connections, plans, sale);
  progress.step(`The sale is open: ${sale.units} units, ${buyers} buyers, ${options.payWithin} s to pay.`);
  const crowd = startCrowd({
    baseUrls: stack.baseUrls,
    saleId: sale.id,
    authSecret: secrets.AUTH_SECRET,
    plans,
    arriveWithinMs: ARRIVE_WITHIN_MS,
    patienceMs: PATIENCE_MS,
  });
  lifetime.beforeEnd(crowd.sendHome);
  // Once the sale is at rest, no unit can come back. Closing the sale ends the wait of the buyers on standby.
  const report = await showCrowd(crowd, progress, async () => {
    const left = await untilAtRest(connections, sale.id, GLANCE_MS);
    if (left.length === 0) await changeSale(connections, sale.id, { state: 'closed' });
  });
  await untilAtRest(connections, sale.id, REST_DEADLINE_MS);
  return reckon(connections, sale.id, report.buyers);
}

function resultText({ reckoning: r, wrong }: Verdict, seconds: number): string {
  return [
    '',
    `${r.buyers} buyers came for ${r.units} units; it took ${seconds} s with everything started.`,
    `  ${r.placed} units were placed, ${r.paid} orders were paid, ${r.cancelled} were not and their units were offered again`,
    `  ${r.soldOut} buyers were told that it is sold out, or stood by in vain`,
    `  oversold ${r.oversold}, buyers with two orders ${r.duplicates}, claims lost ${r.lost}`,
    r.auditOk ? '  the audit holds: both stores agree on every unit' : '  THE AUDIT DOES NOT HOLD:',
    ...wrong.map(line => `    ${line}`),
    '',
  ].join('\n');
}

/** Opens the sale for the visitor. Another buyer gets the first unit, to show a payment at a provider. */
async function openOwnSale({ stack, secrets, connections }: Running): Promise<string> {
  const title = 'Yours to try';
  await createOpenSale(connections, { id: OWN_SALE_ID, units: OWN_UNITS, title, provider: 'signed-webhook' });
  const [baseUrl = ''] = stack.baseUrls;
  const { AUTH_SECRET: authSecret } = secrets;
  const ms = await buyElsewhere({ baseUrl, saleId: OWN_SALE_ID, authSecret, buyerId: 'first-visitor' });
  return `A second sale is open, paid at a payment provider (a fake one). Its first unit was paid there: by its webhook ${ms} ms later.\n\n`;
}

function addressesText({ stack, secrets }: Running): string {
  const [baseUrl] = stack.baseUrls;
  return [
    `Page      ${baseUrl}/s/${SALE_ID}  (over; ${OWN_UNITS - 1} units for yourself: ${baseUrl}/s/${OWN_SALE_ID})`,
    `Console   ${stack.adminUrl}/`,
    `Queues    ${stack.adminUrl}/queues`,
    `Token     ${secrets.ADMIN_TOKEN}  (the admin's login)`,
    `Audit     npm run cli -- audit ${SALE_ID}`,
    'Everything is up until you press Ctrl-C; then nothing of it is left.',
    '',
  ].join('\n');
}

const startedAt = performance.now();
const lifetime = startLifetime();
try {
  const options = readOptions();
  const program = { options, progress: new Progress(process.stderr), lifetime };
  const running = await startEverything(program);
  const verdict = await sell(program, running);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const report = options.json ? process.stderr : process.stdout;
  report.write(resultText(verdict, seconds));
  if (options.json) process.stdout.write(`${JSON.stringify({ ...verdict.reckoning, seconds })}\n`);
  if (options.exit) await lifetime.end(exitCodeOf(verdict, 0));
  report.write(await openOwnSale(running));
  report.write(addressesText(running));
  lifetime.expectSignal();
} catch (error) {
  await lifetime.fail(error);
}

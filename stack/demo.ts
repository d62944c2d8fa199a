import { Command } from 'commander';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { type GivenSettings, readGiven } from '#core/process/config.js';
import type { Shards } from '#core/redis/shards.js';
import { startAnnouncedStack } from './announced-stack.js';
import { buyElsewhere } from './crowd/buy-elsewhere.js';
import { closeAtRest } from './crowd/close-at-rest.js';
import { CONNECTIONS, type Crowd, createBuyerPlans, startCrowd } from './crowd/crowd.js';
import { type DropVerdict, dropsText, exitCodeOfDrops, totalOf } from './crowd/drops.js';
import { createOpenSale } from './crowd/open-sale.js';
import { Progress } from './crowd/progress.js';
import { reckon, untilAtRest, type Verdict } from './crowd/reckoning.js';
import { showCrowds } from './crowd/show-crowd.js';
import { startFakeProvider } from './fake-provider/start.js';
import { parseCount, parseShare } from './processes/command-line.js';
import { type Lifetime, startLifetime } from './processes/lifetime.js';
import { preferredPort } from './processes/preferred-port.js';
import { createSecrets, type Secrets } from './secrets.js';
import type { Stack } from './stack.js';
import { type Connections, connectInstallation } from './stores/connections.js';
import { startClusterStores, startPrivateStores } from './stores/private-stores.js';

// `npm run demo`: a whole sale on this machine, with a crowd and a proof, and then a second sale for the visitor. With `--cluster`,
// twelve sales at once on a Redis Cluster.

/** A sale, and the beginning of its buyers' names. */
interface Drop {
  saleId: string;
  prefix: string;
}

const ONE_DROP: Drop[] = [{ saleId: 'demo', prefix: 'buyer-' }];
const TWELVE_DROPS: Drop[] = Array.from({ length: 12 }, (_, i) => `drop-${i + 1}`).map(saleId => ({
  saleId,
  prefix: `${saleId}-buyer-`,
}));
/** The units and buyers of each drop. */
const ONE_SIZE = { units: 100, buyers: 2_000 };
const TWELVE_SIZE = { units: 25, buyers: 300 };
const CLUSTER_SIZE = { primaries: 3, replicas: 1 };
/** The last sale, in which the visitor can buy on the page and pay at the fake provider. */
const OWN_SALE_ID = 'try-it';
const OWN_UNITS = 10;
const PORT = 3_000;
const ADMIN_PORT = 3_001;
const CLICKS_MAX = 4;
const ARRIVE_WITHIN_MS = 1_500;
/** A unit that comes back is offered a few times at most, because most buyers pay. A slow machine needs longer. */
const PATIENCE_MS = 240_000;
const REST_DEADLINE_MS = 30_000;

interface DemoOptions {
  units?: number;
  buyers?: number;
  cluster: boolean;
  payWithin: number;
  payShare: number;
  exit: boolean;
  json: boolean;
}

function readOptions(): DemoOptions {
  return new Command('npm run demo --')
    .description('A whole sale on this machine: stores, processes and a crowd of simulated buyers.')
    .option('--units <n>', `units for sale (default: ${ONE_SIZE.units}, or ${TWELVE_SIZE.units} of each)`, parseCount)
    .option(
      '--buyers <n>',
      `simulated buyers (default: ${ONE_SIZE.buyers}, or ${TWELVE_SIZE.buyers} of each)`,
      parseCount,
    )
    .option('--cluster', 'twelve sales at once on a Redis Cluster of three primaries and three replicas', false)
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
  connections: Connections<Shards>;
}

async function startEverything({ options, lifetime, progress }: Program): Promise<Running> {
  progress.step(`Starting a private Redis${options.cluster ? ' Cluster' : ''} and Postgres ...`);
  const [port, adminPort] = [await preferredPort(PORT), await preferredPort(ADMIN_PORT)];
  // The provider starts while the stores do.
  const starting = startFakeProvider(`http://127.0.0.1:${port}/webhooks/payments/signed-webhook`);
  lifetime.beforeEnd(() => starting.then(provider => provider.stop()).catch(() => undefined));
  const stores = await (options.cluster ? startClusterStores(CLUSTER_SIZE) : startPrivateStores());
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
  const connections = await connectInstallation(redisUrl, databaseUrl);
  lifetime.beforeEnd(() => connections.close());
  return { stack, secrets, connections };
}

/** A drop whose crowd is on its way. */
interface Selling {
  saleId: string;
  crowd: Crowd;
}

async function sell(program: Program, running: Running): Promise<DropVerdict[]> {
  const { options, progress, lifetime } = program;
  const { connections } = running;
  const drops = options.cluster ? TWELVE_DROPS : ONE_DROP;
  const { units, buyers } = { ...(options.cluster ? TWELVE_SIZE : ONE_SIZE), ...options };
  const prepared = await Promise.all(drops.map(drop => prepare(drop, { ...options, units, buyers }, running)));
  const open = options.cluster
    ? `${drops.length} sales are open: ${units} units each, `
    : `The sale is open: ${units} units, `;
  progress.step(`${open}${buyers} buyers${options.cluster ? ' for each' : ''}, ${options.payWithin} s to pay.`);
  const selling = prepared.map(start => start());
  lifetime.beforeEnd(() => {
    for (const { crowd } of selling) crowd.sendHome();
  });
  const guided = selling.map(({ saleId, crowd }) => ({ crowd, onlyStandby: () => closeAtRest(connections, saleId) }));
  const reports = await showCrowds(guided, progress);
  const verdicts: DropVerdict[] = [];
  for (const [i, { saleId }] of selling.entries()) {
    await untilAtRest(connections, saleId, REST_DEADLINE_MS);
    const verdict = await reckon(connections, saleId, reports[i]?.buyers ?? []);
    verdicts.push({ saleId, node: await nodeOf(connections, saleId), ...verdict });
  }
  return verdicts;
}

/** Returns the address of the Redis that has a sale. */
async function nodeOf({ redis }: Connections<Shards>, saleId: string): Promise<string> {
  const info = await redis.of(saleId).info('server');
  return `127.0.0.1:${/tcp_port:(\d+)/.exec(info)?.[1]}`;
}

/** Opens a sale, and fills the wallets of those who will pay. Returns the start of its crowd. */
async function prepare(
  { saleId, prefix }: Drop,
  { units, buyers, payWithin, payShare, cluster }: Required<DemoOptions>,
  { stack, secrets, connections }: Running,
): Promise<() => Selling> {
  const sale = await createOpenSale(connections, { id: saleId, units, payWithinSeconds: payWithin });
  const plans = createBuyerPlans({ buyers, prefix, clicksMax: CLICKS_MAX, payShare, others: 'leave' });
  const payers = plans.filter(({ withUnit }) => withUnit === 'pay').map(({ buyerId }) => buyerId);
  await creditWallets(connections.db, payers, { amountMinor: sale.priceMinor, currency: sale.currency });
  return () => ({
    saleId,
    crowd: startCrowd({
      baseUrls: stack.baseUrls,
      saleId,
      authSecret: secrets.AUTH_SECRET,
      plans,
      arriveWithinMs: ARRIVE_WITHIN_MS,
      patienceMs: PATIENCE_MS,
      connections: Math.ceil(CONNECTIONS / (cluster ? TWELVE_DROPS.length : 1)),
    }),
  });
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
  return `Another sale is open, paid at a payment provider (a fake one). Its first unit was paid there: by its webhook ${ms} ms later.\n\n`;
}

function addressesText({ stack, secrets }: Running, saleId: string): string {
  const [baseUrl] = stack.baseUrls;
  return [
    `Page      ${baseUrl}/s/${saleId}  (over; ${OWN_UNITS - 1} units for yourself: ${baseUrl}/s/${OWN_SALE_ID})`,
    `Console   ${stack.adminUrl}/`,
    `Queues    ${stack.adminUrl}/queues`,
    `Token     ${secrets.ADMIN_TOKEN}  (the admin's login)`,
    `Audit     npm run cli -- audit ${saleId}`,
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
  const drops = await sell(program, running);
  const total = totalOf(drops);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const report = options.json ? process.stderr : process.stdout;
  const each = options.cluster
    ? drops.map(({ saleId, node, reckoning }) => ({ saleId, node, ...reckoning }))
    : undefined;
  if (options.cluster) report.write(dropsText(drops));
  report.write(resultText(total, seconds));
  if (options.json) process.stdout.write(`${JSON.stringify({ ...total.reckoning, seconds, drops: each })}\n`);
  if (options.exit) await lifetime.end(exitCodeOfDrops(drops));
  report.write(await openOwnSale(running));
  report.write(addressesText(running, String(drops[0]?.saleId)));
  lifetime.expectSignal();
} catch (error) {
  await lifetime.fail(error);
}

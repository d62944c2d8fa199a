import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readSale } from '#core/postgres/sales.js';
import { type GivenSettings, readConfig, readGiven, readGivenOrRunning } from '#core/process/config.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { BuyerPlan } from './crowd/buyer.js';
import { type CrowdReport, planCrowd, startCrowd } from './crowd/crowd.js';
import { showProgress, wordsFor } from './crowd/progress.js';
import { holds, reckon, untilAtRest, type Verdict } from './crowd/reckoning.js';
import { watchCrowd } from './crowd/watch-crowd.js';
import { share, url, whole } from './options.js';
import { type Lifetime, startLifetime } from './processes/lifetime.js';
import { type Connections, connectStores } from './stores/connections.js';

const CLICKS_MAX = 4;
/** Other buyers' orders may be unpaid for minutes: a sale that is used needn't come to rest. */
const REST_DEADLINE_MS = 10_000;

interface RehearseOptions {
  sale: string;
  buyers: number;
  url?: string;
  payShare: number;
  within: number;
  patience: number;
  json: boolean;
}

function readOptions(): RehearseOptions {
  return new Command('npm run rehearse --')
    .description('Sends a crowd of simulated buyers at a stack that runs. They buy: use a sale made for it.')
    .requiredOption('--sale <id>', 'the sale')
    .requiredOption('--buyers <n>', 'simulated buyers', whole)
    .option('--url <url>', 'the API, or the proxy in front of it; else the stack that runs from this folder', url)
    .option(
      '--pay-share <0..1>',
      'how many pay (with DATABASE_URL their wallets are filled); the others cancel',
      share,
      0.8,
    )
    .option('--within <seconds>', 'all of them come within this time', whole, 2)
    .option('--patience <seconds>', 'then whoever still waits goes home', whole, 120)
    .option('--json', 'the result as one JSON line on standard output', false)
    .parse()
    .opts<RehearseOptions>();
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** The stack that runs from this folder is only meant when the crowd goes to this machine. */
function settingsFor(url: string | undefined): GivenSettings {
  const here = url === undefined || LOOPBACK.includes(new URL(url).hostname);
  return here ? readGivenOrRunning() : readGiven();
}

/** Undefined without both stores: then the crowd can be sent, but nothing can be proved. */
async function connect(
  { REDIS_URL, DATABASE_URL }: GivenSettings,
  lifetime: Lifetime,
): Promise<Connections | undefined> {
  if (!REDIS_URL || !DATABASE_URL) return undefined;
  const connections = await connectStores(REDIS_URL, DATABASE_URL);
  lifetime.beforeEnd(() => connections.close());
  return connections;
}

async function fillWallets({ db }: Connections, saleId: string, plans: BuyerPlan[]): Promise<void> {
  const sale = await readSale(db, saleId);
  if (!sale) throw new Error(`there is no sale ${saleId}`);
  const payers = plans.filter(({ withUnit }) => withUnit === 'pay').map(({ buyerId }) => buyerId);
  if (payers.length > 0) await creditWallets(db, payers, { amountMinor: sale.priceMinor, currency: sale.currency });
}

function latencyLines({ latency }: CrowdReport): string[] {
  return Object.entries(latency).map(
    ([call, { count, p50Ms, p99Ms, maxMs }]) =>
      `  ${call.padEnd(13)} ${String(count).padStart(8)} answers   p50 ${p50Ms} ms   p99 ${p99Ms} ms   max ${maxMs} ms`,
  );
}

function auditLines(verdict: Verdict | undefined): string[] {
  if (!verdict) return ['The audit was not possible: it needs REDIS_URL and DATABASE_URL.'];
  const { placed, paid, duplicates, oversold, lost } = verdict.reckoning;
  return [
    `Units placed ${placed}, orders paid ${paid}, oversold ${oversold}, buyers with two orders ${duplicates}, claims lost ${lost}`,
    verdict.reckoning.auditOk ? 'The audit holds.' : 'THE AUDIT DOES NOT HOLD:',
    ...verdict.wrong.map(line => `  ${line}`),
  ];
}

async function rehearse(lifetime: Lifetime): Promise<void> {
  const options = readOptions();
  const given = settingsFor(options.url);
  const { AUTH_SECRET, PORT } = readConfig(['AUTH_SECRET', 'PORT'], given);
  const baseUrl = options.url ?? `http://127.0.0.1:${PORT}`;
  const connections = await connect(given, lifetime);
  const plans = planCrowd({
    buyers: options.buyers,
    // New people each time: whoever has bought keeps what they have.
    prefix: `rehearsal-${randomUUID().slice(0, 8)}-`,
    clicksMax: CLICKS_MAX,
    payShare: connections ? options.payShare : 0,
    others: 'cancel',
  });
  if (connections) await fillWallets(connections, options.sale, plans);
  const crowd = startCrowd({
    baseUrls: [baseUrl],
    saleId: options.sale,
    authSecret: AUTH_SECRET,
    plans,
    arriveWithinMs: options.within * SECOND_MS,
    patienceMs: options.patience * SECOND_MS,
  });
  const report = await watchCrowd(crowd, showProgress(process.stderr), async () => crowd.sendHome());
  if (connections) await untilAtRest(connections, options.sale, REST_DEADLINE_MS);
  const verdict = connections && (await reckon(connections, options.sale, report.buyers));
  tell(options, baseUrl, report, verdict, wordsFor(crowd.stages()));
  const unanswered = crowd.stages().unanswered ?? 0;
  await lifetime.end((verdict ? holds(verdict) : true) && unanswered === 0 ? 0 : 1);
}

function tell(
  { sale, json }: RehearseOptions,
  baseUrl: string,
  report: CrowdReport,
  verdict: Verdict | undefined,
  outcomes: string,
): void {
  const { answers, latency, buyers } = report;
  const seconds = Math.round(report.seconds * 10) / 10;
  if (json) {
    const proof = verdict ? { ...verdict.reckoning, wrong: verdict.wrong } : null;
    process.stdout.write(
      `${JSON.stringify({ sale, url: baseUrl, buyers: buyers.length, seconds, answers, latency, audit: proof })}\n`,
    );
    return;
  }
  const heading = `${buyers.length} buyers at ${baseUrl}, sale ${sale}, ${seconds} s: ${outcomes}`;
  const counted = Object.entries(answers).map(([answer, count]) => `  ${String(count).padStart(8)}  ${answer}`);
  const lines = [heading, 'From the click to the answer, waiting for a connection included:', ...latencyLines(report)];
  process.stdout.write(`${[...lines, 'Answers:', ...counted, ...auditLines(verdict)].join('\n')}\n`);
}

const lifetime = startLifetime();
await rehearse(lifetime).catch(error => lifetime.fail(error));

import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { readSale } from '#core/postgres/sales.js';
import { type GivenSettings, readConfig, readGiven, readGivenOrRunning } from '#core/process/config.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { BuyerPlan } from './crowd/buyer.js';
import { type CrowdReport, createBuyerPlans, startCrowd } from './crowd/crowd.js';
import { Progress, wordsFor } from './crowd/progress.js';
import { exitCodeOf, reckon, untilAtRest, type Verdict } from './crowd/reckoning.js';
import { showCrowd } from './crowd/show-crowd.js';
import { readSaleTimes } from './crowd/storefront.js';
import { parseCount, parseOrigin, parseShare } from './processes/command-line.js';
import { type Lifetime, startLifetime } from './processes/lifetime.js';
import { type Connections, connectStores } from './stores/connections.js';

// `npm run rehearse`: sends a crowd at a stack that runs, and proves the result if it can reach both stores.

const CLICKS_MAX = 4;
/** Other buyers' orders may be unpaid for minutes, so a sale in use need not come to rest. */
const REST_DEADLINE_MS = 10_000;

interface RehearseOptions {
  sale: string;
  buyers: number;
  url?: string;
  payShare: number;
  opening?: 'shuffle' | 'draw';
  within: number;
  patience: number;
  json: boolean;
}

function readOptions(): RehearseOptions {
  return new Command('npm run rehearse --')
    .description('Sends a crowd of simulated buyers at a stack that runs. They buy: use a sale made for it.')
    .requiredOption('--sale <id>', 'the sale')
    .requiredOption('--buyers <n>', 'simulated buyers', parseCount)
    .option(
      '--url <url>',
      'the API, or the proxy in front of it; else the stack that runs from this folder',
      parseOrigin,
    )
    .option(
      '--pay-share <0..1>',
      'how many pay (with DATABASE_URL their wallets are filled); the others cancel',
      parseShare,
      0.8,
    )
    .addOption(
      new Option('--opening <name>', 'the sale has this opening: all buyers join before it').choices([
        'shuffle',
        'draw',
      ]),
    )
    .option(
      '--within <seconds>',
      'all buyers arrive within this time, or with --opening within what is left of it',
      parseCount,
      2,
    )
    .option('--patience <seconds>', 'after this time, buyers without a final answer go home', parseCount, 120)
    .option('--json', 'the result as one JSON line on standard output', false)
    .parse()
    .opts<RehearseOptions>();
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** Reads the settings. Those of the stack that runs from this folder count only if the crowd goes to this machine. */
function settingsFor(url: string | undefined): GivenSettings {
  const here = url === undefined || LOOPBACK.includes(new URL(url).hostname);
  return here ? readGivenOrRunning() : readGiven();
}

/** Connects to both stores, if their URLs are known. Without them the crowd can be sent, but nothing can be proved. */
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
  const { placed, paid, duplicates, oversold, lost, joined, drawing } = verdict.reckoning;
  return [
    ...(joined + drawing > 0 ? [`Buyers who joined ${joined}, who saw the lots being drawn ${drawing}`] : []),
    `Units placed ${placed}, orders paid ${paid}, oversold ${oversold}, buyers with two orders ${duplicates}, claims lost ${lost}`,
    verdict.reckoning.auditOk ? 'The audit holds.' : 'THE AUDIT DOES NOT HOLD:',
    ...verdict.wrong.map(line => `  ${line}`),
  ];
}

/** The arrival of the crowd, in ms from now, and how long it takes. */
interface Arrival {
  fromMs: number;
  withinMs: number;
  /** When the sale opens, in ms from now; 0 for a sale that is open. */
  opensInMs: number;
  /** Whether the buyers need passes, which they get before they arrive. */
  passesBefore: boolean;
}

/**
 * Plans the arrival of a crowd.
 *
 * @throws Error when the crowd is to join a sale that it can not join: one with another opening, or one that has opened
 */
async function planArrival(baseUrl: string, { sale, opening, within }: RehearseOptions): Promise<Arrival> {
  const known = await readSaleTimes(baseUrl, sale);
  const passesBefore = known.needsPass;
  if (!opening) {
    // With passes, the crowd waits for the moment at which they are of use. Without, a sale that is not open is its test.
    const usefulInMs = passesBefore ? Math.max(0, known.joinsInMs) : 0;
    return { fromMs: usefulInMs, withinMs: within * SECOND_MS, opensInMs: usefulInMs, passesBefore };
  }
  if (known.opening !== opening) throw new Error(`sale ${sale} opens with ${known.opening}`);
  if (known.opensInMs <= 0) throw new Error(`sale ${sale} has opened: a crowd joins before that`);
  const fromMs = Math.max(0, known.joinsInMs);
  return {
    fromMs,
    withinMs: Math.min(within * SECOND_MS, known.opensInMs - fromMs),
    opensInMs: known.opensInMs,
    passesBefore,
  };
}

async function rehearse(lifetime: Lifetime): Promise<void> {
  const options = readOptions();
  const given = settingsFor(options.url);
  const { AUTH_SECRET, PORT } = readConfig(['AUTH_SECRET', 'PORT'], given);
  const baseUrl = options.url ?? `http://127.0.0.1:${PORT}`;
  const connections = await connect(given, lifetime);
  const arrival = await planArrival(baseUrl, options);
  const plans = createBuyerPlans({
    buyers: options.buyers,
    // New buyers each time, because a buyer of an earlier rehearsal may still have a unit.
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
    arriveAfterMs: arrival.fromMs,
    passesBefore: arrival.passesBefore,
    arriveWithinMs: arrival.withinMs,
    patienceMs: arrival.opensInMs + options.patience * SECOND_MS,
  });
  const report = await showCrowd(crowd, new Progress(process.stderr), async () => crowd.sendHome());
  if (connections) await untilAtRest(connections, options.sale, REST_DEADLINE_MS);
  const verdict = connections && (await reckon(connections, options.sale, report.buyers));
  const result: Result = { sale: options.sale, url: baseUrl, report, verdict };
  process.stdout.write(options.json ? jsonOf(result) : textOf(result, wordsFor(crowd.stages())));
  await lifetime.end(exitCodeOf(verdict, crowd.stages().unanswered ?? 0));
}

/** The result of a rehearsal. */
interface Result {
  sale: string;
  url: string;
  report: CrowdReport;
  verdict: Verdict | undefined;
}

const roundSeconds = ({ seconds }: CrowdReport): number => Math.round(seconds * 10) / 10;

function jsonOf({ sale, url, report, verdict }: Result): string {
  const { answers, latency, buyers } = report;
  const audit = verdict ? { ...verdict.reckoning, wrong: verdict.wrong } : null;
  const seconds = roundSeconds(report);
  return `${JSON.stringify({ sale, url, buyers: buyers.length, seconds, answers, latency, audit })}\n`;
}

function textOf({ sale, url, report, verdict }: Result, outcomes: string): string {
  const lines = [
    `${report.buyers.length} buyers at ${url}, sale ${sale}, ${roundSeconds(report)} s: ${outcomes}`,
    'From the click to the answer, waiting for a connection included:',
    ...latencyLines(report),
    'Answers:',
    ...Object.entries(report.answers).map(([answer, count]) => `  ${String(count).padStart(8)}  ${answer}`),
    ...auditLines(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

const lifetime = startLifetime();
await rehearse(lifetime).catch(error => lifetime.fail(error));

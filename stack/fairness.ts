import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { checkout } from '#core/process/checkout.js';
import { readGiven } from '#core/process/config.js';
import { OPENINGS, type OpeningKind } from '#core/rules/sale.js';
import { chunks } from '#core/values/chunks.js';
import { Progress } from './crowd/progress.js';
import { sellToNonPayers } from './fairness/non-payers.js';
import { barsOf, type Run, sectionOf, withSection } from './fairness/page.js';
import { sellWithPasses } from './fairness/passes.js';
import { type Group, type Shop, type Sold, sellTo } from './fairness/sales.js';
import { exitCodeOf, type Modes, sumOf, unfairIn } from './fairness/share.js';
import { parseCount } from './processes/command-line.js';
import { freePort } from './processes/free-port.js';
import { type Lifetime, startLifetime } from './processes/lifetime.js';
import { createSecrets } from './secrets.js';
import { startStack } from './stack.js';
import { connectInstallation } from './stores/connections.js';
import { startPrivateStores } from './stores/private-stores.js';

// `npm run fairness`: people and a script at the same sales, on the real stack. It prints who gets the units with each opening.

const VISITORS = { people: 800, accounts: 120 };
const UNITS = 100;
/** The sales with each opening, and how long people join before the opening. */
const FULL = { sales: 30, joiningMs: 5_000 };
const QUICK = { sales: 10, joiningMs: 3_000 };
/** The sales that run at the same time. In a rush, the script alone keeps the machine busy. */
const AT_ONCE: Record<OpeningKind, number> = { rush: 2, shuffle: 5, draw: 5 };

interface FairnessOptions {
  quick: boolean;
  sales?: number;
  opening?: OpeningKind[];
  nonPayers: boolean;
  seed: number;
  report: boolean;
  json: boolean;
}

function readOptions(): FairnessOptions {
  return new Command('npm run fairness --')
    .description('Lets a script with 120 accounts and 800 people buy in the same sales, and shows who gets the units.')
    .option('--quick', `${QUICK.sales} sales with each opening instead of ${FULL.sales}, within 120 s`, false)
    .option('--sales <n>', 'the number of sales with each opening', parseCount)
    .addOption(
      new Option(
        '--opening <name...>',
        'these openings only, without accounts that never pay and without passes',
      ).choices(OPENINGS),
    )
    .option('--non-payers', 'the accounts that never pay and the passes as well, if openings are named', false)
    .option('--seed <n>', 'fixes when people come', parseCount, 1)
    .option('--report', 'writes the table in docs/fairness.md', false)
    .option('--json', 'the result as one JSON line on standard output', false)
    .parse()
    .opts<FairnessOptions>();
}

async function startShop(lifetime: Lifetime, progress: Progress): Promise<Shop> {
  progress.step('Starting a private Redis and Postgres, API and worker ...');
  const stores = await startPrivateStores();
  lifetime.beforeEnd(() => stores.stop());
  const { redisUrl, databaseUrl } = stores;
  const secrets = createSecrets();
  const { LOG_LEVEL = 'warn' } = readGiven();
  const settings = { LOG_LEVEL };
  const starting = startStack({ redisUrl, databaseUrl, secrets, ports: [await freePort()], settings });
  lifetime.beforeEnd(() => starting.then(stack => stack.stop()).catch(() => undefined));
  const { baseUrls } = await starting;
  const connections = await connectInstallation(redisUrl, databaseUrl);
  lifetime.beforeEnd(() => connections.close());
  return { connections, baseUrls, authSecret: secrets.AUTH_SECRET, progress };
}

async function sellAll(shop: Shop, group: Omit<Group, 'seeds'>, { sales, seed }: { sales: number; seed: number }) {
  const { opening } = group;
  shop.progress.step(`${opening}: ${sales} sales of ${UNITS} units ...`);
  const sold: Sold[] = [];
  const seeds = Array.from({ length: sales }, (_, i) => seed + i);
  for (const some of chunks(seeds, AT_ONCE[opening])) sold.push(...(await sellTo(shop, { ...group, seeds: some })));
  return sold;
}

async function simulate(options: FairnessOptions, lifetime: Lifetime): Promise<{ run: Run; wrong: string[] }> {
  const shop = await startShop(lifetime, new Progress(process.stderr));
  const { joiningMs, sales } = {
    ...(options.quick ? QUICK : FULL),
    ...(options.sales ? { sales: options.sales } : {}),
  };
  const { seed } = options;
  const modes: Modes = {};
  const wrong: string[] = [];
  const withNonPayers = options.nonPayers || options.opening === undefined;
  // They mostly wait, so they run beside the other sales.
  const holding = withNonPayers ? sellToNonPayers(shop) : undefined;
  // Its failure is thrown where it is awaited.
  holding?.catch(() => undefined);
  for (const opening of options.opening ?? OPENINGS) {
    const group = { opening, visitors: VISITORS, units: UNITS, joiningMs };
    const sold = await sellAll(shop, group, { sales, seed });
    modes[opening] = sumOf(sold);
    wrong.push(...sold.flatMap(sale => sale.wrong));
  }
  wrong.push(...unfairIn(modes, VISITORS));
  if (withNonPayers) shop.progress.step('Accounts that never pay, against people ...');
  const held = await holding;
  if (withNonPayers) shop.progress.step('Passes, one after the other ...');
  const worked = withNonPayers ? await sellWithPasses(shop) : undefined;
  wrong.push(...(held?.wrong ?? []), ...(worked?.wrong ?? []));
  const extra = { nonPayers: held?.nonPayers, passes: worked?.passes };
  return { run: { visitors: VISITORS, sales, each: UNITS, seed, modes, ...extra }, wrong };
}

async function writeReport(run: Run): Promise<void> {
  const file = join(checkout, 'docs', 'fairness.md');
  const page = await readFile(file, 'utf8').catch(() => '');
  await writeFile(file, withSection(page, sectionOf(run)));
}

const lifetime = startLifetime();
try {
  const options = readOptions();
  const { run, wrong } = await simulate(options, lifetime);
  if (options.report) await writeReport(run);
  const text = `${barsOf(run)}${wrong.map(line => `${line}\n`).join('')}`;
  if (options.json) {
    process.stderr.write(text);
    process.stdout.write(`${JSON.stringify({ modes: run.modes, nonPayers: run.nonPayers, passes: run.passes })}\n`);
  } else process.stdout.write(text);
  await lifetime.end(exitCodeOf(wrong));
} catch (error) {
  await lifetime.fail(error);
}

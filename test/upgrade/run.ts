import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkout } from '#core/process/checkout.js';
import { adoptLayout } from '#core/redis/layout.js';
import { pauseUntil } from '#stack/processes/pause.js';
import { readBank } from '../chaos/workload/bank.js';
import { sendCrowd } from '../chaos/workload/crowd.js';
import { PRICE_MINOR } from '../chaos/workload/world.js';
import { createSale, fillWallets, planVisit, type SaleWish } from './buyers/sales.js';
import { judge, type UpgradeResult } from './judge.js';
import { SLOTS } from './rig/fleet.js';
import { cli, twoAtATime, type Version } from './rig/version.js';
import { type Endings, startUpgrade, type Upgrade, type UpgradeOptions } from './upgrade.js';

/** Buyers with a wallet; those who come later can't pay from one. */
const RICH = 2_000;

/** The money of a rich buyer, in minor units: enough for a unit in some sales. */
const WALLET_MINOR = 4 * PRICE_MINOR;

/** Buyers at the same time: on a slow machine fewer come, so that it doesn't become slower still. */
const AT_ONCE_MAX = 80;

/** Between two looks at all the money, in ms. */
const BANK_EVERY_MS = 500;

/** An upgrade that was carried out, and where its history and logs are. */
export interface UpgradeRun {
  result: UpgradeResult;
  /** Removed when nothing was found. */
  folder: string;
}

/**
 * Replaces the processes of an old version by those of this tree, one after the other, while sales run, and checks every answer
 * that buyers got.
 *
 * @param options from which commit, and how much is tried
 * @param tell told in one line of each step
 * @returns what came of it
 * @throws Error with the seed and the folder, when a command or a process fails
 */
export async function runUpgrade(options: UpgradeOptions, tell: (line: string) => void): Promise<UpgradeRun> {
  const { seed, commit } = options;
  const folder = join(checkout, '.data', 'upgrade', `seed-${seed}-${Date.now()}`);
  await mkdir(join(folder, 'logs'), { recursive: true });
  const endings: Endings = [];
  try {
    const upgrade = await startUpgrade(options, folder, endings, tell);
    await sell(upgrade);
    const result = { seed, commit, ...(await judge(upgrade)) };
    await writeFile(join(folder, 'result.json'), JSON.stringify(result, null, 2));
    if (result.violations.length === 0) endings.unshift(() => rm(folder, { recursive: true }));
    return { result, folder };
  } catch (error) {
    throw new Error(`the upgrade from ${commit} with seed ${seed} broke off, see ${folder}: ${error}`, {
      cause: error,
    });
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** Sells, and replaces everything meanwhile. Returns when every buyer has gone home. */
async function sell(upgrade: Upgrade): Promise<void> {
  await openSales(upgrade, upgrade.old, upgrade.form.before);
  await adoptLayout(upgrade.redis);
  await giveMoney(upgrade);
  const over = new AbortController();
  const { client, buyers, wishes } = upgrade;
  const crowd = sendCrowd({
    client,
    random: buyers,
    perSecond: upgrade.form.perSecond,
    signal: over.signal,
    atOnceMax: AT_ONCE_MAX,
    plan: number => planVisit(wishes, buyers, `guest-${number}`),
  });
  const parts = [
    crowd,
    lookAgainAndAgain(upgrade, over.signal),
    replaceTwoVersions(upgrade).finally(() => over.abort()),
  ];
  try {
    await Promise.all(parts);
  } finally {
    // When one part fails, the others must have ended before their stores do.
    await Promise.allSettled(parts);
  }
}

async function replaceTwoVersions(upgrade: Upgrade): Promise<void> {
  const { form, environment, tell } = upgrade;
  await pause(form.calmMs);
  tell('the new version migrates');
  await cli(upgrade.new, ['migrate'], environment);
  await replaceAll(upgrade, upgrade.new, form.after);
  if (form.back.length > 0) {
    await replaceAll(upgrade, upgrade.old, form.back);
    await replaceAll(upgrade, upgrade.new, []);
  }
  await moveKeys(upgrade);
  tell('the new version closes the sales');
  // Buyers on standby would wait until their patience is over.
  const withStandby = upgrade.sales.filter(({ standby }) => standby);
  await twoAtATime(withStandby, ({ id }) => cli(upgrade.new, ['sale', 'close', id], environment));
}

/**
 * Replaces every process, and then makes further sales. A worker comes first, as docs/operations.md has it, and the others in any
 * order, which is stricter.
 */
async function replaceAll(upgrade: Upgrade, version: Version, wishes: readonly SaleWish[]): Promise<void> {
  const { order, fleet, form, history, tell } = upgrade;
  const first = order.pick(['worker-1', 'worker-2'] as const);
  for (const slot of [first, ...order.shuffle(SLOTS.filter(other => other !== first))]) {
    const fault = `${slot} becomes ${version.name}`;
    tell(fault);
    history.note({ type: 'fault', atMs: Date.now(), fault });
    await fleet.replace(slot, version);
    await pause(form.stepMs);
  }
  await openSales(upgrade, version, wishes);
  await pause(form.calmMs);
}

/** Ends the upgrade in Redis: the keys of the sales, which run, get the names of the new version. */
async function moveKeys({ new: version, environment, redis, form, history, tell }: Upgrade): Promise<void> {
  const fault = 'the keys in Redis are moved';
  tell(fault);
  history.note({ type: 'fault', atMs: Date.now(), fault });
  await cli(version, ['move-keys'], environment);
  await adoptLayout(redis);
  await pause(form.calmMs);
}

async function openSales(upgrade: Upgrade, version: Version, wishes: readonly SaleWish[]): Promise<void> {
  await twoAtATime(wishes, async wish => {
    upgrade.sales.push(await createSale(version, wish, upgrade.environment));
    upgrade.wishes.push(wish);
  });
}

async function giveMoney({ history, query }: Upgrade): Promise<void> {
  const names = Array.from({ length: RICH }, (_, i) => [`guest-${i + 1}`, `regular-${i + 1}`]).flat();
  const request = { call: 'credit', saleId: '-', buyerId: '*', amountMinor: WALLET_MINOR * names.length } as const;
  const tell = history.invoke(request);
  await fillWallets(query, names, WALLET_MINOR);
  tell('ok', { http: 200 });
}

async function lookAgainAndAgain({ query, history }: Upgrade, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await readBank(query, history);
    await pauseUntil(BANK_EVERY_MS, signal);
  }
}

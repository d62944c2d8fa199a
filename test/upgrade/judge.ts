import { join } from 'node:path';
import { SECOND_MS } from '#core/rules/clock.js';
import { checkHistory } from '../chaos/history/check-history.js';
import { groupBy, viewClaims } from '../chaos/history/claim-view.js';
import { bankReadsOf, type Operation, operationsOf } from '../chaos/history/history.js';
import { readOrderFacts, readPaymentFacts } from '../chaos/rig/facts.js';
import { auditRows, auditStores } from '../chaos/rig/final-audit.js';
import { untilAllAtRest } from '../chaos/rig/rest.js';
import { readBank } from '../chaos/workload/bank.js';
import { percentile } from '../support/percentile.js';
import { readComplaints } from './rig/logs.js';
import { cli, twoAtATime } from './rig/version.js';
import type { Upgrade } from './upgrade.js';

/** After the last buyer everything must have come to rest within this time, in ms. */
const REST_MS = 120 * SECOND_MS;

/** By invariant 8 of docs/guarantees.md it takes 15 s; twice as long, as several processes end one after the other here. */
const RELEASE_WITHIN_MS = 30 * SECOND_MS;

/**
 * No buyer is refused with 5xx for longer than twice the time in which one API is replaced, as long as this machine takes. If
 * that is quicker, not for longer than this, in ms.
 */
const REFUSED_MS = 3 * SECOND_MS;

/** The findings of an upgrade. */
export interface UpgradeFindings {
  operations: number;
  /** Different claims that buyers were told of. */
  accepted: number;
  /** Orders. */
  placed: number;
  paid: number;
  /** Answers 5xx, and questions that no API answered. */
  refused: number;
  /** For how long a buyer got no other answer at most. */
  refusedMaxMs: number;
  /** From the first answer to a claim until its order, for 99 of 100 claims. */
  placingP99Ms: number;
  violations: string[];
}

export interface UpgradeResult extends UpgradeFindings {
  seed: number;
  commit: string;
}

/**
 * Waits until everything is at rest, ends the processes, and checks what is left in every way there is.
 *
 * @param upgrade its buyers have gone home
 * @returns what was found
 */
export async function judge(upgrade: Upgrade): Promise<UpgradeFindings> {
  const { redis, query, fake, sales, history, fleet, folder } = upgrade;
  upgrade.tell('waiting until everything is at rest');
  const readPayments = () => readPaymentFacts(query, fake);
  const unfinished = await untilAllAtRest({ redis, query, sales, limitMs: REST_MS, readPayments });
  upgrade.tell('ending the processes, and checking');
  await fleet.stop();
  await readBank(query, history);
  const [operations, orders] = [operationsOf(history.lines()), await readOrderFacts(query)];
  const evidence = {
    sales,
    operations,
    orders,
    bank: bankReadsOf(history.lines()),
    payments: await readPayments(),
    redisLostData: false,
    releaseWithinMs: RELEASE_WITHIN_MS,
  };
  const refusedMaxMs = longestRefusal(operations);
  const mayBeRefusedMs = Math.max(REFUSED_MS, 2 * fleet.longestGapMs);
  const violations = [
    ...unfinished.map(what => `rest: ${what}`),
    ...checkHistory(evidence).map(({ rule, text }) => `${rule}: ${text}`),
    ...(await auditRows(query)),
    ...(await Promise.all(sales.map(sale => auditStores(redis, query, sale)))).flat(),
    ...(await auditByBoth(upgrade)),
    ...fleet.disorders,
    ...(await readComplaints(join(folder, 'logs'))),
    ...(refusedMaxMs > mayBeRefusedMs ? [`a buyer was refused with 5xx for ${refusedMaxMs} ms`] : []),
  ];
  const views = viewClaims(evidence);
  const placing = views.flatMap(({ sightings, order }) =>
    order && sightings.length > 0 ? [order.placedAtMs - Math.min(...sightings.map(({ toMs }) => toMs))] : [],
  );
  return {
    operations: operations.length,
    accepted: views.filter(({ sightings }) => sightings.length > 0).length,
    placed: orders.filter(({ status }) => status !== 'void').length,
    paid: orders.filter(({ status }) => status === 'paid').length,
    refused: operations.filter(isRefused).length,
    refusedMaxMs,
    placingP99Ms: Math.max(0, Math.round(percentile(placing, 0.99))),
    violations,
  };
}

/** Asks both versions' `cli audit` about each sale: what the new one wrote must be right to the old one, too. */
async function auditByBoth(upgrade: Upgrade): Promise<string[]> {
  const broken: string[] = [];
  const audits = [upgrade.old, upgrade.new].flatMap(version => upgrade.sales.map(({ id }) => ({ version, id })));
  await twoAtATime(audits, ({ version, id }) =>
    // It prints its findings, and fails when there are some.
    cli(version, ['audit', id], upgrade.environment).catch((error: Error) => broken.push(error.message)),
  );
  return broken;
}

const isRefused = ({ http }: Operation): boolean => http === undefined || http === 0 || http >= 500;

/** From the first refused question of a buyer to the end of the next one that was answered, in ms. */
function longestRefusal(operations: readonly Operation[]): number {
  const asked = operations.filter(({ call }) => call !== 'credit');
  const byBuyer = groupBy(asked, ({ saleId, buyerId }) => `${saleId} ${buyerId}`);
  return Math.max(0, ...[...byBuyer.values()].map(longestOf));
}

function longestOf(ofBuyer: readonly Operation[]): number {
  let [longest, sinceMs]: [number, number | undefined] = [0, undefined];
  for (const operation of [...ofBuyer].sort((a, b) => a.endedAtMs - b.endedAtMs)) {
    if (isRefused(operation)) sinceMs ??= operation.invokedAtMs;
    if (sinceMs !== undefined) longest = Math.max(longest, operation.endedAtMs - sinceMs);
    if (!isRefused(operation)) sinceMs = undefined;
  }
  return longest;
}

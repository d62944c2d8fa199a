import { join } from 'node:path';
import { SECOND_MS } from '#core/rules/clock.js';
import { checkHistory } from '../chaos/history/check-history.js';
import { viewClaims } from '../chaos/history/claim-view.js';
import { bankReadsOf, operationsOf } from '../chaos/history/history.js';
import { readOrderFacts, readPaymentFacts } from '../chaos/rig/facts.js';
import { auditRows, auditStores } from '../chaos/rig/final-audit.js';
import { untilAllAtRest } from '../chaos/rig/rest.js';
import { readBank } from '../chaos/workload/bank.js';
import { percentile } from '../support/percentile.js';
import { judgeRefusals } from './refusals.js';
import { readComplaints } from './rig/logs.js';
import { cli, twoAtATime } from './rig/version.js';
import type { Upgrade } from './upgrade.js';

/** After the last buyer everything must have come to rest within this time, in ms. */
const REST_MS = 120 * SECOND_MS;

/** By invariant 8 of docs/guarantees.md it takes 15 s; twice as long, as several processes end one after the other here. */
const RELEASE_WITHIN_MS = 30 * SECOND_MS;

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
  const { violations: refusals, ...refused } = judgeRefusals(operations, fleet.longestGapMs);
  const violations = [
    ...unfinished.map(what => `rest: ${what}`),
    ...checkHistory(evidence).map(({ rule, text }) => `${rule}: ${text}`),
    ...(await auditRows(query)),
    ...(await Promise.all(sales.map(sale => auditStores(redis, query, sale)))).flat(),
    ...(await auditByNew(upgrade)),
    ...fleet.disorders,
    ...(await readComplaints(join(folder, 'logs'))),
    ...refusals,
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
    ...refused,
    placingP99Ms: Math.max(0, Math.round(percentile(placing, 0.99))),
    violations,
  };
}

/** Asks the new version's `cli audit` about each sale. The old one does not find the sales after the move of the keys. */
async function auditByNew(upgrade: Upgrade): Promise<string[]> {
  const broken: string[] = [];
  await twoAtATime(upgrade.sales, ({ id }) =>
    // It prints its findings, and fails when there are some.
    cli(upgrade.new, ['audit', id], upgrade.environment).catch((error: Error) => broken.push(error.message)),
  );
  return broken;
}

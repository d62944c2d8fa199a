import { describeMachine, type Machine } from './measure/machine.js';
import { type Contestant, compete, describe, type Figures, seriesOf } from './measure/round.js';
import { claimCost } from './questions/api/claim-cost.js';
import { latency } from './questions/api/latency.js';
import { memory } from './questions/api/memory.js';
import { polls } from './questions/api/polls.js';
import { refusals } from './questions/api/refusals.js';
import { repeats } from './questions/api/repeats.js';
import { wins } from './questions/api/wins.js';
import { bare } from './questions/peers/bare.js';
import { classic, lock } from './questions/peers/classic.js';
import { express } from './questions/peers/express.js';
import { naiveShop } from './questions/peers/naive-shop.js';
import { drain } from './questions/worker/drain.js';
import { endToEnd } from './questions/worker/end-to-end.js';
import { rawInsert } from './questions/worker/raw-insert.js';
import type { Rig } from './rig/rig.js';
import { startApi } from './rig/server.js';

/** Winners of one batch, if the API's own batches were not looked at. */
const USUAL_CLAIMS_PER_JOB = 300;

/** A little above the target: at full speed the API leaves the worker too little of two cores to keep up. */
const OFFERED_PER_SECOND = 6_500;

/** Every figure of every round, by `contestant.figure`, and what they were measured on. */
export interface Measured {
  machine: Machine;
  rounds: Record<string, number[]>;
}

/**
 * Asks every question.
 *
 * @param rig what they are measured with
 * @param beforeEnd remembers what must be ended
 * @param loadBefore the machine's load before we began
 * @returns all that was measured
 */
export async function measureAll(
  rig: Rig,
  beforeEnd: (stop: () => Promise<unknown>) => void,
  loadBefore: number,
): Promise<Measured> {
  const { options } = rig;
  const wanted = ({ name }: Contestant) => !options.only || options.only.includes(name);
  const api = await startApi(rig);
  beforeEnd(api.stop);
  const servers: Contestant[] = [
    await bare(rig),
    refusals(rig, api),
    repeats(rig, api),
    wins(rig, api),
    polls(rig, api),
    ...(await express(rig)),
    await classic(rig),
    await lock(rig),
    ...(await naiveShop(rig, api)),
  ];
  for (const { close } of servers) if (close) beforeEnd(close);
  const answered = await compete(servers.filter(wanted), options.rounds, 1, rig.tell);

  const claimsPerJob = Math.round(seriesOf(answered['wins.claimsPerJob'] ?? [USUAL_CLAIMS_PER_JOB]).median);
  const stored = [
    drain(rig, claimsPerJob),
    rawInsert(rig, claimsPerJob, 1),
    rawInsert(rig, claimsPerJob, 4),
    ...[100, 10_000, 1_000_000].map(units => claimCost(rig, units)),
  ];
  const placed = await compete(stored.filter(wanted), options.storeRounds, 0, rig.tell);

  const half = seriesOf(answered['wins.perSecond'] ?? [2 * OFFERED_PER_SECOND]).median / 2;
  const once = await inTurn(rig, {
    endToEnd: () => endToEnd(rig, api, OFFERED_PER_SECOND),
    endToEndFull: () => endToEnd(rig, api),
    latency: () => latency(rig, api, half),
    memory: () => memory(rig),
  });
  return { machine: await describeMachine(rig, loadBefore), rounds: { ...answered, ...placed, ...once } };
}

/** What takes long, and is its own comparison, is measured once. */
async function inTurn(rig: Rig, questions: Record<string, () => Promise<Figures>>): Promise<Record<string, number[]>> {
  const results: Record<string, number[]> = {};
  for (const [name, ask] of Object.entries(questions)) {
    if (rig.options.only && !rig.options.only.includes(name)) continue;
    const figures = await ask();
    rig.tell(`once       ${name.padEnd(16)} ${describe(figures)}`);
    for (const [figure, value] of Object.entries(figures)) results[`${name}.${figure}`] = [value];
  }
  return results;
}

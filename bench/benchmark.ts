import { describeMachine, type Machine } from './measure/machine.js';
import { type Contestant, compete, describe, type Figures, seriesOf } from './measure/round.js';
import { claimCost } from './questions/api/claim-cost.js';
import { latency } from './questions/api/latency.js';
import { memory } from './questions/api/memory.js';
import { polls } from './questions/api/polls.js';
import { refusals } from './questions/api/refusals.js';
import { repeats } from './questions/api/repeats.js';
import { strictWins } from './questions/api/strict-wins.js';
import { wins } from './questions/api/wins.js';
import { drops } from './questions/cluster/drops.js';
import { forged } from './questions/gate/forged.js';
import { greedy } from './questions/gate/greedy.js';
import { streams } from './questions/gate/streams.js';
import { bare } from './questions/peers/bare.js';
import { classic, lock } from './questions/peers/classic.js';
import { express } from './questions/peers/express.js';
import { lua } from './questions/peers/lua.js';
import { naiveShop } from './questions/peers/naive-shop.js';
import { drain, drainPooled } from './questions/worker/drain.js';
import { endToEnd } from './questions/worker/end-to-end.js';
import { rawInsert } from './questions/worker/raw-insert.js';
import type { BeforeEnd, Rig } from './rig/rig.js';
import { type Server, startApi } from './rig/server.js';

/** Claims offered a second, a little above the target. At full speed the API leaves the worker too little of two cores. */
const OFFERED_PER_SECOND = 6_500;

/** Every figure of every round, by `contestant.figure`, and the machine behind them. */
export interface Measured {
  machine: Machine;
  rounds: Record<string, number[]>;
}

/**
 * Asks every question that the options want.
 *
 * @param beforeEnd remembers what to stop
 * @param loadBefore the machine's load before the benchmark began
 */
export async function measureAll(rig: Rig, beforeEnd: BeforeEnd, loadBefore: number): Promise<Measured> {
  const api = await startApi(rig);
  beforeEnd(api.stop);
  const answered = await measureAnswers(rig, api, beforeEnd);
  const placed = await measureStores(rig);
  const half = seriesOf(answered['wins.perSecond'] ?? [2 * OFFERED_PER_SECOND]).median / 2;
  const once = await askOnce(rig, {
    endToEnd: () => endToEnd(rig, api, OFFERED_PER_SECOND),
    endToEndFull: () => endToEnd(rig, api),
    latency: () => latency(rig, api, half),
    memory: () => memory(rig),
    greedy: () => greedy(rig, api),
    forged: () => forged(rig, api),
    streams: () => streams(rig, api),
    drops: () => drops(rig),
  });
  return { machine: await describeMachine(rig, loadBefore), rounds: { ...answered, ...placed, ...once } };
}

const wantedBy =
  ({ options }: Rig) =>
  ({ name }: Contestant) =>
    !options.only || options.only.includes(name);

/** Measures answers a second: the API beside its peers. */
async function measureAnswers(rig: Rig, api: Server, beforeEnd: BeforeEnd): Promise<Record<string, number[]>> {
  const servers: Contestant[] = [
    ...(await bare(rig)),
    refusals(rig, api),
    repeats(rig, api),
    wins(rig, api),
    strictWins(rig, api),
    polls(rig, api),
    ...(await express(rig)),
    await classic(rig),
    await lock(rig),
    ...(await lua(rig)),
    ...(await naiveShop(rig, api)),
  ];
  for (const { close } of servers) if (close) beforeEnd(close);
  return compete(servers.filter(wantedBy(rig)), { rounds: rig.options.rounds, warmUp: true, tell: rig.tell });
}

/** Measures the worker, and the stores themselves. */
function measureStores(rig: Rig): Promise<Record<string, number[]>> {
  const stored = [
    drain(rig),
    drainPooled(rig),
    rawInsert(rig, 1),
    rawInsert(rig, 4),
    ...[100, 10_000, 1_000_000].map(units => claimCost(rig, units)),
  ];
  return compete(stored.filter(wantedBy(rig)), { rounds: rig.options.storeRounds, warmUp: false, tell: rig.tell });
}

/** Asks the questions that take long and are compared with nothing, once each. */
async function askOnce(rig: Rig, questions: Record<string, () => Promise<Figures>>): Promise<Record<string, number[]>> {
  const results: Record<string, number[]> = {};
  for (const [name, ask] of Object.entries(questions)) {
    if (rig.options.only && !rig.options.only.includes(name)) continue;
    const figures = await ask();
    rig.tell(`once       ${name.padEnd(16)} ${describe(figures)}`);
    for (const [figure, value] of Object.entries(figures)) results[`${name}.${figure}`] = [value];
  }
  return results;
}

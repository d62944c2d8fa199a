import { passUsefulAtMs } from '#core/rules/sale.js';
import { startGenerator } from '../../load/generator.js';
import type { LoadOutcome, LoadPlan } from '../../load/plan.js';
import { cpuSeconds } from '../../measure/cpu.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createPassSale, forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';
import { byTurns, latencyOf, medianOf, turnSeconds } from './turns.js';

/** Clicks with forged passes a second, of as many buyers, so that the limits of a buyer stop none of them. */
const FORGED_PER_SECOND = 10_000;
/** The number of the first forger, beyond every honest buyer. */
const FORGERS = 5_000_000;
/** Clicks of the honest buyers a second. A turn of 2 s then has 200 latencies. */
const HONEST_PER_SECOND = 100;
/** The API cuts a connection with 64 requests in flight: one of the flood's that stalls for 6 s (apps/api/http/pipelining.ts). */
const CONNECTIONS = 64;
const FLOOD_CONNECTIONS = 1_024;
const ALLOWED_MORE_MS = 20;
const FORGED_SECRET = 'a secret that the API does not have, of 32';

/** Asks whether honest buyers of a sale that needs passes notice a flood of forged ones at the same API. */
export async function forged(rig: Rig, { port, pid }: Server): Promise<Figures> {
  await forgetAll(rig);
  const perTurn = Math.ceil(HONEST_PER_SECOND * turnSeconds(rig));
  const sale = await createPassSale(rig, 2 * rig.options.rounds * perTurn + 1);
  const usefulAtMs = passUsefulAtMs(sale);
  const planFor = (
    secret: string,
    crowd: Pick<LoadPlan, 'first' | 'count' | 'perSecond' | 'again' | 'connections'>,
  ) => {
    const load = { depth: 1, seconds: turnSeconds(rig) };
    const pass = { saleId: sale.id, secret, usefulAtMs };
    return { port, method: 'POST', path: `/buy/${sale.id}`, pass, ...load, ...crowd } as const;
  };
  const forger = startGenerator(rig.compiled('load/main'), rig.secret);
  const crowd = {
    first: FORGERS,
    count: FORGED_PER_SECOND,
    perSecond: FORGED_PER_SECOND,
    connections: FLOOD_CONNECTIONS,
    again: true,
  };
  const flood = async () => refusedPerSecond(await forger.run(planFor(FORGED_SECRET, crowd)));
  let first = 0;
  const honest = async () => {
    const plan = planFor(rig.secret, { first, count: perTurn, perSecond: HONEST_PER_SECOND, connections: CONNECTIONS });
    first += perTurn;
    return p99OfWinners(await rig.generator.run(plan));
  };
  try {
    const attack = async () => {
      const before = cpuSeconds(pid);
      const [p99, refused] = await Promise.all([honest(), flood()]);
      return { p99, refused, busy: (cpuSeconds(pid) - before) / turnSeconds(rig) };
    };
    const turns = await byTurns(rig, { idle: honest, attack });
    const [idleP99, p99] = [medianOf(turns.idle), medianOf(turns.attack.map(turn => turn.p99))];
    const refused = medianOf(turns.attack.map(turn => turn.refused));
    const busy = medianOf(turns.attack.map(turn => turn.busy));
    return { refusedPerSecond: refused, busy, idleP99, p99, allowedP99: idleP99 + ALLOWED_MORE_MS };
  } finally {
    forger.stop();
  }
}

/** @throws Error when an honest buyer got anything but a unit */
function p99OfWinners(outcome: LoadOutcome): number {
  if (outcome.statuses['202'] !== outcome.answers)
    throw new Error(`honest buyers got ${JSON.stringify(outcome.statuses)}`);
  return latencyOf(outcome, 'p99');
}

/** @throws Error when a click with a forged pass got anything but a refusal */
function refusedPerSecond({ answers, statuses, seconds }: LoadOutcome): number {
  if (statuses['403'] !== answers) throw new Error(`forgers got ${JSON.stringify(statuses)}`);
  return answers / seconds;
}

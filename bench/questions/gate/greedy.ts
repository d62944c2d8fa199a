import { type Generator, startGenerator } from '../../load/generator.js';
import type { LoadOutcome, LoadPlan } from '../../load/plan.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import { type Server, startApi } from '../../rig/server.js';
import { byTurns, latencyOf, medianOf, turnSeconds } from './turns.js';

/** Clicks of the greedy buyer a second at each of the two APIs. */
const GREEDY_PER_SECOND = 1_000;
/** The number of the greedy buyer, beyond every honest one. */
const GREEDY = 5_000_000;
/** Clicks of the honest buyers a second. A turn of 2 s then has 200 latencies. */
const HONEST_PER_SECOND = 100;
/** The API cuts a connection with 64 requests in flight: here, one that stalls for 4 s (apps/api/http/pipelining.ts). */
const CONNECTIONS = 64;
/** The longest p99 under attack: twice the one of an idle API, or 20 ms above it. */
const ALLOWED_FACTOR = 2;
const ALLOWED_MORE_MS = 20;

/** The two APIs that share the limits, and a load generator for each of the greedy buyer's two scripts. */
interface Gate {
  apis: Server[];
  scripts: Generator[];
}

/**
 * Asks whether one buyer who clicks at two APIs gets more than the limit, and whether honest buyers notice.
 *
 * @param api the first API; a second one is started
 */
export async function greedy(rig: Rig, api: Server): Promise<Figures> {
  const second = await startApi(rig);
  const scripts = [api, second].map(() => startGenerator(rig.compiled('load/main'), rig.secret));
  try {
    return await clickAt(rig, { apis: [api, second], scripts });
  } finally {
    for (const script of scripts) script.stop();
    await second.stop();
  }
}

async function clickAt(rig: Rig, gate: Gate): Promise<Figures> {
  await forgetAll(rig);
  const perTurn = Math.ceil(HONEST_PER_SECOND * turnSeconds(rig));
  const saleId = await createRedisSale(rig, 2 * rig.options.rounds * perTurn + 1);
  let first = 0;
  const honest = async () => {
    const plan = planFor(rig, saleId, { first, count: perTurn, perSecond: HONEST_PER_SECOND });
    first += perTurn;
    return p99OfWinners(await rig.generator.run({ ...plan, port: (gate.apis[0] as Server).port }));
  };
  const { idle, attack } = await byTurns(rig, {
    idle: honest,
    attack: async () => {
      const [p99, answered] = await Promise.all([honest(), clickGreedily(rig, saleId, gate)]);
      return { p99, answered };
    },
  });
  const [idleP99, p99] = [medianOf(idle), medianOf(attack.map(turn => turn.p99))];
  return {
    answeredPerSecond: Math.max(...attack.map(turn => turn.answered)),
    idleP99,
    p99,
    allowedP99: Math.max(ALLOWED_FACTOR * idleP99, idleP99 + ALLOWED_MORE_MS),
  };
}

function planFor(rig: Rig, saleId: string, crowd: Pick<LoadPlan, 'first' | 'count' | 'perSecond'>) {
  const load = { connections: CONNECTIONS, depth: 1, seconds: turnSeconds(rig) };
  return { method: 'POST', path: `/buy/${saleId}`, ...load, ...crowd } as const;
}

/** @throws Error when an honest buyer got anything but a unit */
function p99OfWinners(outcome: LoadOutcome): number {
  if (outcome.statuses['202'] !== outcome.answers)
    throw new Error(`honest buyers got ${JSON.stringify(outcome.statuses)}`);
  return latencyOf(outcome, 'p99');
}

/** Returns how many clicks a second got another answer than 429, at all APIs together. */
async function clickGreedily(rig: Rig, saleId: string, { apis, scripts }: Gate): Promise<number> {
  const plan = { ...planFor(rig, saleId, { first: GREEDY, count: 1, perSecond: GREEDY_PER_SECOND }), again: true };
  const outcomes = await Promise.all(
    scripts.map((script, i) => script.run({ ...plan, port: (apis[i] as Server).port })),
  );
  const answered = outcomes.map(({ answers, statuses }) => answers - (statuses['429'] ?? 0));
  return answered.reduce((sum, count) => sum + count, 0) / turnSeconds(rig);
}

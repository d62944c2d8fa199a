import type { LoadOutcome, LoadPlan } from '../load/plan.js';
import type { Rig } from '../rig/rig.js';
import type { Server } from '../rig/server.js';
import { cpuSeconds } from './cpu.js';

/** More requests a second than any server here answers, so that the crowd never runs out. */
const ASK_PER_SECOND_MAX = 80_000;

const MICROS = 1e6;

/** The part of a load plan in which contestants differ; {@link underLoad} fills in the rest alike for all of them. */
export type Crowd = Pick<LoadPlan, 'path'> & Partial<LoadPlan>;

/** The parts of a rig that a crowd needs: the generator, its settings, and the Redis whose CPU time is read. */
export interface LoadRig {
  options: Pick<Rig['options'], 'connections' | 'depth' | 'seconds'>;
  generator: Rig['generator'];
  stores: { redis: { pid: number } };
}

/** Returns how many different buyers a measurement needs. */
export function crowdSize({ options }: Pick<LoadRig, 'options'>): number {
  return Math.ceil(ASK_PER_SECOND_MAX * options.seconds);
}

/** A crowd and the server that it asks. */
export interface CrowdRun {
  server: Pick<Server, 'port' | 'pid'>;
  crowd: Crowd;
  /** The statuses of right answers. */
  expected: number[];
}

/** The figures that every contestant under load has. CPU times are NaN where there is no /proc. */
export type LoadFigures = Record<'perSecond' | 'serverMicros' | 'redisMicros' | 'generatorMicros', number>;

/**
 * Sends a crowd at a server.
 *
 * @throws Error when any answer has another status: a figure with errors in it is not a figure
 */
export async function underLoad(
  rig: LoadRig,
  { server, crowd, expected }: CrowdRun,
): Promise<{ outcome: LoadOutcome; figures: LoadFigures }> {
  const pids = { server: server.pid, redis: rig.stores.redis.pid };
  const before = { server: cpuSeconds(pids.server), redis: cpuSeconds(pids.redis) };
  const { connections, depth, seconds } = rig.options;
  const plan = { port: server.port, method: 'POST', first: 0, count: crowdSize(rig) } as const;
  const outcome = await rig.generator.run({ ...plan, connections, depth, seconds, ...crowd });
  const wrong = Object.keys(outcome.statuses).filter(status => !expected.includes(Number(status)));
  if (wrong.length > 0) throw new Error(`${crowd.path}: expected ${expected}, got ${JSON.stringify(outcome.statuses)}`);
  const perAnswer = (cpu: number) => (cpu * MICROS) / outcome.answers;
  const figures = {
    perSecond: outcome.answers / outcome.seconds,
    serverMicros: perAnswer(cpuSeconds(pids.server) - before.server),
    redisMicros: perAnswer(cpuSeconds(pids.redis) - before.redis),
    generatorMicros: perAnswer(outcome.cpuSeconds),
  };
  return { outcome, figures };
}

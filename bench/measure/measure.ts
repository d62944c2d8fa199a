import type { LoadOutcome, LoadPlan } from '../load/plan.js';
import type { Rig } from '../rig/rig.js';
import type { Server } from '../rig/server.js';
import { cpuSeconds } from './cpu.js';
import type { Figures } from './round.js';

/** More than any server here answers in a second, so that the crowd is never used up. */
const ASK_PER_SECOND_MAX = 80_000;

const MICROS = 1e6;

/** What a contestant's crowd does; the rest is alike for all. */
export type Crowd = Pick<LoadPlan, 'path'> & Partial<LoadPlan>;

/** @returns how many buyers must stand ready for a measurement */
export function crowdSize(rig: Rig): number {
  return Math.ceil(ASK_PER_SECOND_MAX * rig.options.seconds);
}

/**
 * Lets a crowd loose on a server.
 *
 * @param rig the rig
 * @param server what is asked
 * @param crowd what the crowd does
 * @param expected the statuses of right answers
 * @returns the outcome, and the figures that every contestant has
 * @throws Error when there was any other answer: a figure with errors in it is not a figure
 */
export async function underLoad(
  rig: Rig,
  server: Server,
  crowd: Crowd,
  expected: number[],
): Promise<{ outcome: LoadOutcome; figures: Figures }> {
  const watched = { server: server.pid, redis: rig.stores.redis.pid };
  const before = { server: cpuSeconds(watched.server), redis: cpuSeconds(watched.redis) };
  const outcome = await rig.generator.run({
    port: server.port,
    method: 'POST',
    first: 0,
    count: crowdSize(rig),
    connections: rig.options.connections,
    depth: rig.options.depth,
    seconds: rig.options.seconds,
    ...crowd,
  });
  const wrong = Object.keys(outcome.statuses).filter(status => !expected.includes(Number(status)));
  if (wrong.length > 0) throw new Error(`${crowd.path}: expected ${expected}, got ${JSON.stringify(outcome.statuses)}`);
  const perAnswer = (seconds: number) => (seconds * MICROS) / outcome.answers;
  const figures = {
    perSecond: outcome.answers / outcome.seconds,
    serverMicros: perAnswer(cpuSeconds(watched.server) - before.server),
    redisMicros: perAnswer(cpuSeconds(watched.redis) - before.redis),
    generatorMicros: perAnswer(outcome.cpuSeconds),
  };
  return { outcome, figures };
}

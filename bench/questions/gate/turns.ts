import type { LoadOutcome } from '../../load/plan.js';
import { seriesOf } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';

/** Shorter turns say nothing about limits that count by the second. */
const TURN_SECONDS_MIN = 1;

/** The sides of a question about an attack, by name, measured in turn. */
type Sides = Record<string, () => Promise<unknown>>;

/**
 * Measures all sides by turns, as often as there are rounds: an idle API and an attacked one, for example. A disturbance
 * of the machine then disturbs all of them.
 *
 * @returns what each side gave in each turn
 */
export async function byTurns<S extends Sides>(
  { options }: Pick<Rig, 'options'>,
  sides: S,
): Promise<{ [Name in keyof S]: Awaited<ReturnType<S[Name]>>[] }> {
  const turns = Object.fromEntries(Object.keys(sides).map(name => [name, [] as unknown[]]));
  for (let turn = 0; turn < options.rounds; turn += 1) {
    for (const [name, measure] of Object.entries(sides)) turns[name]?.push(await measure());
  }
  return turns as { [Name in keyof S]: Awaited<ReturnType<S[Name]>>[] };
}

/** Returns the duration of a turn, in s. */
export function turnSeconds({ options }: Pick<Rig, 'options'>): number {
  return Math.max(TURN_SECONDS_MIN, options.seconds);
}

/** Returns the median of a figure. */
export function medianOf(values: number[]): number {
  return seriesOf(values).median;
}

/** Returns a percentile of the latency of a run at a fixed rate, in ms. */
export function latencyOf({ latency }: LoadOutcome, percentile: 'p99' | 'max'): number {
  return latency?.[percentile] ?? Number.NaN;
}

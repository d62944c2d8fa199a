import type { LoadOutcome } from '../../load/plan.js';
import { seriesOf } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';

/** Shorter turns say nothing about limits that count by the second. */
const TURN_SECONDS_MIN = 1;

/** The two sides of a question about an attack, measured in turn. */
export interface Turns<Idle, Attack> {
  idle(): Promise<Idle>;
  attack(): Promise<Attack>;
}

/**
 * Measures an idle API and an attacked one by turns, as often as there are rounds. A disturbance of the machine then
 * disturbs both.
 */
export async function byTurns<Idle, Attack>(
  { options }: Pick<Rig, 'options'>,
  turns: Turns<Idle, Attack>,
): Promise<{ idle: Idle[]; attack: Attack[] }> {
  const idle: Idle[] = [];
  const attack: Attack[] = [];
  for (let turn = 0; turn < options.rounds; turn += 1) {
    idle.push(await turns.idle());
    attack.push(await turns.attack());
  }
  return { idle, attack };
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

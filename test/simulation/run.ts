import { percentile } from '../support/percentile.js';
import type { Rules } from './model/rules.js';
import { type History, playRandom, replay } from './scheduler.js';
import { shrink } from './shrink.js';

/** The histories of a run: how many, and the seed of the first one. Each further one has the next seed. */
export interface Histories {
  histories: number;
  seed: number;
}

/** The summary of a run. */
export interface SimulationResult extends Histories {
  stepsMedian: number;
  processesAtOnce: { least: number; most: number };
  seconds: number;
  /** The number of histories that broke a promise. */
  violations: number;
}

/**
 * Plays random histories of the money, one after the other. The first one that breaks a promise is shortened and told.
 *
 * @param tell receives one line for each move of the shortened history, and how to repeat it
 */
export function runSimulation(
  rules: Rules,
  { histories, seed }: Histories,
  tell: (line: string) => void,
): SimulationResult {
  const startedAt = performance.now();
  const steps: number[] = [];
  const atOnce = { least: Number.POSITIVE_INFINITY, most: 0 };
  let violations = 0;
  for (let number = 0; number < histories; number += 1) {
    const outcome = playRandom(rules, seed + number);
    steps.push(outcome.steps.length);
    atOnce.least = Math.min(atOnce.least, outcome.atOnce);
    atOnce.most = Math.max(atOnce.most, outcome.atOnce);
    if (outcome.violations.length === 0) continue;
    violations += 1;
    if (violations > 1) continue;
    tellBroken(rules, outcome.history, tell);
    tell(`npm run simulate -- --histories 1 --seed ${seed + number}`);
  }
  const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1));
  return { seed, histories, stepsMedian: percentile(steps, 0.5), processesAtOnce: atOnce, seconds, violations };
}

/** Returns the exit code of a run: 0 if no history broke a promise. */
export function exitCodeOf({ violations }: SimulationResult): 0 | 1 {
  return violations === 0 ? 0 : 1;
}

/** Tells a broken history in its shortest form. */
function tellBroken(rules: Rules, history: History, tell: (line: string) => void): void {
  const shortest = shrink(rules, history);
  replay(rules, shortest, tell);
  tell(`${shortest.moves.length} moves are left of ${history.moves.length}. To repeat:`);
}

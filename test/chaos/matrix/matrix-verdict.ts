import {
  CRASH_MODES,
  CRASH_POINTS,
  CRASH_STEPS,
  type CrashMode,
  type CrashPoint,
  type CrashStep,
  POINT_MODES,
} from '#core/process/crash-point.js';
import type { CrashResult } from './crash-case.js';

/** A crash point, and the way in which a process fails there. */
export type Case = [name: CrashPoint | CrashStep, mode: CrashMode];

/** The crash points that only a Redis Cluster has. `test/stores/cluster/lock-crashes.test.ts` reaches them. */
export const ON_CLUSTER: readonly CrashPoint[] = ['claim.locked', 'claim.decided', 'purchase.over'];

/** Every crash point of one Redis in every mode that it has. */
export const CASES: readonly Case[] = [
  ...CRASH_POINTS.filter(name => !ON_CLUSTER.includes(name)).flatMap(name =>
    POINT_MODES.map((mode): Case => [name, mode]),
  ),
  ...CRASH_STEPS.flatMap(name => CRASH_MODES.map((mode): Case => [name, mode])),
];

/** Invariant 6: everything holds within this time after the process is whole and the buyers are done, in ms. */
const WHOLE_WITHIN_MS = 15_000;

/**
 * Returns the cases that some words name: crash points, modes, or both. Without words these are all cases.
 *
 * @throws Error for a word that is neither, and for words that name no case: a run of nothing would break nothing
 */
export function casesOf(words: readonly string[]): Case[] {
  const isMode = (word: string) => CRASH_MODES.some(mode => mode === word);
  const [modes, names] = [words.filter(isMode), words.filter(word => !isMode(word))];
  const unknown = names.filter(word => !CASES.some(([name]) => name === word));
  if (unknown.length > 0) throw new Error(`no crash point and no mode: ${unknown.join(', ')}`);
  const wanted = CASES.filter(
    ([name, mode]) => (names.length === 0 || names.includes(name)) && (modes.length === 0 || modes.includes(mode)),
  );
  if (wanted.length === 0) throw new Error(`no crash point has this mode: ${words.join(' ')}`);
  return wanted;
}

/** Adds the time until rest to the violations of a case, if it was too long. */
export function judged(result: CrashResult): CrashResult {
  if (result.restMs <= WHOLE_WITHIN_MS) return result;
  const late = `rest: only after ${result.restMs} ms, above ${WHOLE_WITHIN_MS}`;
  return { ...result, violations: [...result.violations, late] };
}

/** Returns the cell of a judged case in the table. */
export function cellOf({ reached, violations, restMs }: CrashResult): string {
  if (violations.length > 0) return '**broken**';
  return reached ? `${(restMs / 1_000).toFixed(1)} s` : 'not reached';
}

/** Returns the judged cases that failed: a promise was broken, or the crash point was not reached, which proves nothing. */
export function failuresOf(results: readonly CrashResult[]): CrashResult[] {
  return results.filter(({ reached, violations }) => violations.length > 0 || !reached);
}

/** Returns the exit code of a run: 0 if no case failed. */
export function exitCodeOf(results: readonly CrashResult[]): 0 | 1 {
  return failuresOf(results).length === 0 ? 0 : 1;
}

import { beforeAll, expect, test } from '@jest/globals';
import type { CrashMode, CrashPoint, CrashStep } from '#core/process/crash-point.js';
import { type CrashResult, runCrashCase } from './crash-case.js';
import { startCrashRig } from './crash-rig.js';

// A selection for `npm test`: crash points at which a naive pipeline loses a unit or a buyer. `npm run chaos:matrix` runs all crash
// points in every mode, and docs/crash-matrix.md has its results.

const CASES: [CrashPoint | CrashStep, CrashMode][] = [
  ['claim.answered', 'kill'],
  ['place.store', 'reply-lost'],
  ['rebuild.staged', 'kill'],
];

let results: CrashResult[];

/** The cases run at once, as in the whole matrix: each has stores of its own, and mostly waits. */
beforeAll(async () => {
  results = await Promise.all(CASES.map(([name, mode]) => runAlone(name, mode)));
});

async function runAlone(name: CrashPoint | CrashStep, mode: CrashMode): Promise<CrashResult> {
  const rig = await startCrashRig();
  return runCrashCase(rig, name, mode).finally(() => rig.close());
}

test.each(CASES)('%s: %s', (name, mode) => {
  const { reached, violations } = results.find(one => one.name === name && one.mode === mode) as CrashResult;
  expect({ reached, violations }).toEqual({ reached: true, violations: [] });
});

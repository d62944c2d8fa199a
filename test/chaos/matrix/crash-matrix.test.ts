import { beforeAll, expect, test } from '@jest/globals';
import type { CrashMode, CrashPoint, CrashStep } from '#core/process/crash-point.js';
import { type CrashResult, openCrashRig, runCrashCase } from './crash-case.js';

// A selection that fits into `npm test`: the places at which the naive pipeline loses a unit or a buyer. All of them, in every
// mode, are `npm run chaos:matrix`; docs/crash-matrix.md has what came of it.

const CASES: [CrashPoint | CrashStep, CrashMode][] = [
  ['claim.answered', 'kill'],
  ['place.store', 'reply-lost'],
  ['cancel.ended', 'kill'],
  ['release.script', 'duplicate'],
  ['rebuild.staged', 'kill'],
];

let results: CrashResult[];

/** Side by side, as in the whole matrix: each has stores of its own, and mostly waits. */
beforeAll(async () => {
  results = await Promise.all(CASES.map(([name, mode]) => runAlone(name, mode)));
}, 120_000);

async function runAlone(name: CrashPoint | CrashStep, mode: CrashMode): Promise<CrashResult> {
  const rig = await openCrashRig();
  return runCrashCase(rig, name, mode).finally(() => rig.close());
}

test.each(CASES)('%s: %s', (name, mode) => {
  const { reached, violations } = results.find(one => one.name === name && one.mode === mode) as CrashResult;
  expect({ reached, violations }).toEqual({ reached: true, violations: [] });
});

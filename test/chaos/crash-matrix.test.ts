import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CrashMode, CrashPoint, CrashStep } from '#core/crash-point.js';
import { type CrashRig, openCrashRig, runCrashCase } from './crash-case.js';

// A selection that fits into `npm test`: the places at which the naive pipeline loses a unit or a buyer. All of them, in every
// mode, are `npm run chaos:matrix`; docs/crash-matrix.md has what came of it.

const CASES: [CrashPoint | CrashStep, CrashMode][] = [
  ['claim.answered', 'kill'],
  ['place.store', 'reply-lost'],
  ['cancel.ended', 'kill'],
  ['release.script', 'duplicate'],
  ['rebuild.staged', 'kill'],
];

let rig: CrashRig;

beforeAll(async () => {
  rig = await openCrashRig();
}, 60_000);
afterAll(() => rig.close());

test.each(CASES)(
  '%s: %s',
  async (name, mode) => {
    const { reached, violations } = await runCrashCase(rig, name, mode);
    expect({ reached, violations }).toEqual({ reached: true, violations: [] });
  },
  60_000,
);

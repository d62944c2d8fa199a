import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig, readCrashSwitch } from '#core/config.js';
import { CRASH_POINTS, CRASH_STEPS, crashPoint, crashStep } from '#core/crash-point.js';

const SWITCHED = { DROPLINE_CRASH_AT: 'place.stored:kill:1' };
const PRODUCTION = { NODE_ENV: 'production' };

describe('the switch', () => {
  test('is read from the environment, and is off without', () => {
    expect(readCrashSwitch(SWITCHED)).toBe('place.stored:kill:1');
    expect(readCrashSwitch({})).toBeUndefined();
    expect(readCrashSwitch({ DROPLINE_CRASH_AT: '' })).toBeUndefined();
  });

  test('does nothing in production, where no process starts with it', () => {
    expect(readCrashSwitch({ ...SWITCHED, ...PRODUCTION })).toBeUndefined();
    expect(() => readConfig([], { ...SWITCHED, ...PRODUCTION })).toThrow(ConfigError);
    expect(() => readConfig([], { ...SWITCHED, ...PRODUCTION })).toThrow('DROPLINE_CRASH_AT');
    expect(readConfig([], PRODUCTION)).toEqual({});
    expect(readConfig([], SWITCHED)).toEqual({});
  });
});

describe('the places', () => {
  test('are at least 40, each with a name of its own', () => {
    const names = [...CRASH_POINTS, ...CRASH_STEPS];
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  test('do nothing while the switch is off, and wait for nothing', async () => {
    for (const name of CRASH_POINTS) expect(crashPoint(name)).toBeUndefined();
    for (const name of CRASH_STEPS) {
      let times = 0;
      await crashStep(name, async () => {
        times += 1;
      });
      expect(times).toBe(1);
    }
  });
});

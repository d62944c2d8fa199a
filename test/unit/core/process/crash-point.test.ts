import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig, readCrashSwitch } from '#core/process/config.js';
import { CRASH_POINTS, CRASH_STEPS, crashPoint, crashStep } from '#core/process/crash-point.js';

const DROPLINE_CRASH_AT = 'place.stored:kill:1';
const SWITCHED = { NODE_ENV: 'test', DROPLINE_CRASH_AT };

describe('the crash switch', () => {
  test('the crash switch comes from the environment, and is off by default', () => {
    expect(readCrashSwitch(SWITCHED)).toBe('place.stored:kill:1');
    expect(readCrashSwitch({ NODE_ENV: 'test' })).toBeUndefined();
    expect(readCrashSwitch({ NODE_ENV: 'test', DROPLINE_CRASH_AT: '' })).toBeUndefined();
    expect(readConfig([], SWITCHED)).toEqual({});
  });

  test.each(['production', 'development', undefined])(
    'the crash switch is off with NODE_ENV=%s, and stops the start of a process',
    mode => {
      const env = mode === undefined ? {} : { NODE_ENV: mode };
      expect(readCrashSwitch({ ...env, DROPLINE_CRASH_AT })).toBeUndefined();
      expect(() => readConfig([], { ...env, DROPLINE_CRASH_AT })).toThrow(ConfigError);
      expect(() => readConfig([], { ...env, DROPLINE_CRASH_AT })).toThrow('DROPLINE_CRASH_AT');
      expect(readConfig([], env)).toEqual({});
    },
  );
});

describe('crash points', () => {
  test('the product has at least 40 crash points, each with its own name', () => {
    const names = [...CRASH_POINTS, ...CRASH_STEPS];
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  test('a crash point does nothing while the switch is off', async () => {
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

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig, readGiven, type SettingName } from '#core/process/config.js';

const GOOD = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_URL: 'postgres://user:password@127.0.0.1:5432/dropline',
  AUTH_SECRET: 'x'.repeat(32),
  ADMIN_TOKEN: 'abcdefgh'.repeat(2),
};

function errorOf(names: SettingName[], env: NodeJS.ProcessEnv): string {
  try {
    readConfig(names, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the settings were accepted');
}

describe('settings', () => {
  test('a setting with a default may be missing', () => {
    expect(readConfig(['PORT', 'ADMIN_PORT', 'ADMIN_HOST', 'LOG_LEVEL', 'GUEST_TOKENS', 'METRICS_PORT'], {})).toEqual({
      PORT: 3_000,
      ADMIN_PORT: 3_001,
      ADMIN_HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      GUEST_TOKENS: false,
      METRICS_PORT: 0,
    });
  });

  test('a setting becomes a value of its type', () => {
    const env = { ...GOOD, PORT: '8080', GUEST_TOKENS: '1' };
    expect(readConfig(['REDIS_URL', 'PORT', 'GUEST_TOKENS'], env)).toEqual({
      REDIS_URL: GOOD.REDIS_URL,
      PORT: 8_080,
      GUEST_TOKENS: true,
    });
  });

  test('a process ignores wrong settings that it does not use', () => {
    expect(readConfig(['PORT'], { REDIS_URL: 'nonsense' })).toEqual({ PORT: 3_000 });
  });
});

describe('a setting in a file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dropline-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function fileWith(text: string): string {
    const path = join(folder, 'setting');
    writeFileSync(path, text);
    return path;
  }

  test('the content of the file is the setting, without white space at its ends', () => {
    const env = { AUTH_SECRET_FILE: fileWith(`${GOOD.AUTH_SECRET}\n`) };
    expect(readConfig(['AUTH_SECRET'], env)).toEqual({ AUTH_SECRET: GOOD.AUTH_SECRET });
    expect(readGiven(env)).toEqual({ AUTH_SECRET: GOOD.AUTH_SECRET });
  });

  test('an empty file is a missing setting, as an empty variable is', () => {
    const env = { AUTH_SECRET_FILE: fileWith('\n') };
    expect(errorOf(['AUTH_SECRET'], env)).toContain('AUTH_SECRET is not set');
    expect(readConfig(['SHOP_WEBHOOK_SECRET'], { SHOP_WEBHOOK_SECRET_FILE: env.AUTH_SECRET_FILE })).toEqual({});
  });

  test('a value in the file is checked, and never shown', () => {
    const message = errorOf(['AUTH_SECRET'], { AUTH_SECRET_FILE: fileWith('hunter2') });
    expect(message).toMatch(/^AUTH_SECRET must be .*$/);
    expect(message).not.toContain('hunter2');
  });

  test('the error of a missing file, or of a setting that is given twice, is one line that names the setting', () => {
    const missing = errorOf(['AUTH_SECRET', 'PORT'], { AUTH_SECRET_FILE: join(folder, 'missing'), PORT: 'x' });
    expect(missing).toMatch(/^AUTH_SECRET_FILE cannot be read: ENOENT.*; PORT must be .*$/);
    const twice = errorOf(['AUTH_SECRET'], { ...GOOD, AUTH_SECRET_FILE: fileWith(GOOD.AUTH_SECRET) });
    expect(twice).toMatch(/^AUTH_SECRET and AUTH_SECRET_FILE are both set: remove one of them.*$/);
  });
});

describe('an error', () => {
  test.each<[SettingName, string]>([
    ['REDIS_URL', '127.0.0.1:6379'],
    ['REDIS_URL', 'http://127.0.0.1'],
    ['DATABASE_URL', 'mysql://127.0.0.1/dropline'],
    ['AUTH_SECRET', 'short'],
    ['AUTH_SECRET_OTHER', 'short'],
    ['AUTH_LIFE_MAX_DAYS', '0'],
    ['AUTH_LIFE_MAX_DAYS', 'a month'],
    ['ADMIN_TOKEN', 'short'],
    ['ADMIN_TOKEN', 'a'.repeat(16)],
    ['ADMIN_TOKEN', 'abcdefg'.repeat(9)],
    ['ADMIN_HOSTS', 'https://console.shop.example'],
    ['ADMIN_HOSTS', 'console.shop.example, '],
    ['HSTS', 'on'],
    ['AUTH_JWKS_URL', 'shop.example/jwks'],
    ['AUTH_JWKS_URL', 'file:///etc/keys.json'],
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['GUEST_TOKENS', 'yes'],
    ['LOG_LEVEL', 'loud'],
  ])('the error of a wrong %s is one line that names the setting (%s)', (name, value) => {
    const message = errorOf([name], { ...GOOD, [name]: value });
    expect(message).toMatch(new RegExp(`^${name} \\S.*$`));
    expect(message).not.toContain('\n');
  });

  test.each<SettingName>(['REDIS_URL', 'DATABASE_URL', 'AUTH_SECRET'])(
    'the error names %s when the setting is missing',
    name => {
      expect(errorOf([name], {})).toContain(`${name} is not set`);
      expect(errorOf([name], { [name]: '' })).toContain(`${name} is not set`);
    },
  );

  test('one error names every wrong setting', () => {
    const message = errorOf(['REDIS_URL', 'AUTH_SECRET', 'PORT'], { PORT: 'x', REDIS_URL: 'x' });
    for (const name of ['REDIS_URL', 'AUTH_SECRET', 'PORT']) expect(message).toContain(name);
    expect(message).not.toContain('\n');
  });

  test('an error never shows a secret', () => {
    expect(errorOf(['AUTH_SECRET'], { AUTH_SECRET: 'hunter2' })).not.toContain('hunter2');
    expect(errorOf(['DATABASE_URL'], { DATABASE_URL: 'mysql://u:hunter2@h/d' })).not.toContain('hunter2');
  });
});

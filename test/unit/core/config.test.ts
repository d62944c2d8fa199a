import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig, type SettingName } from '#core/process/config.js';

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

describe('an error', () => {
  test.each<[SettingName, string]>([
    ['REDIS_URL', '127.0.0.1:6379'],
    ['REDIS_URL', 'http://127.0.0.1'],
    ['DATABASE_URL', 'mysql://127.0.0.1/dropline'],
    ['AUTH_SECRET', 'short'],
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

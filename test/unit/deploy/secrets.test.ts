import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { readConfig, SETTING_NAMES, type SettingName } from '#core/process/config.js';
import { compose, type Service, services } from './compose-file.js';

/** Settings that no container may have in its environment, which every `docker inspect` shows. */
const SECRET = /SECRETS?(_OTHER)?$|TOKEN$|KEY$|PASSWORD$|^REDIS_URL$|^DATABASE_URL$/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dropline-secrets-'));
  cpSync(join(checkout, 'deploy'), join(folder, 'deploy'), { recursive: true });
  create();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function create(): void {
  execFileSync('/bin/sh', ['deploy/create-secrets.sh'], { cwd: folder });
}

function secret(name: string): string {
  return readFileSync(join(folder, 'secrets', name), 'utf8');
}

/** Returns the environment of a container, with the defaults of its variables and the created files. */
function environmentOf({ environment = {} }: Service): Record<string, string> {
  const entries = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace(/\$\{\w+:-([^}]*)\}/, '$1').replace('/run/secrets', join(folder, 'secrets')),
  ]);
  return Object.fromEntries(entries);
}

const ours = services.filter(([, { image }]) => image === 'dropline');

describe('deploy/create-secrets.sh', () => {
  test('takes over the secrets that an earlier version has in .env', () => {
    const earlier = mkdtempSync(join(tmpdir(), 'dropline-secrets-'));
    try {
      cpSync(join(checkout, 'deploy'), join(earlier, 'deploy'), { recursive: true });
      writeFileSync(
        join(earlier, '.env'),
        'AUTH_SECRET="an old secret"\nPOSTGRES_PASSWORD=old\nSHOP_WEBHOOK_SECRET=\'s\'\n',
      );
      execFileSync('/bin/sh', ['deploy/create-secrets.sh'], { cwd: earlier });
      const read = (name: string) => readFileSync(join(earlier, 'secrets', name), 'utf8');
      expect(['auth_secret', 'owner_password', 'shop_webhook_secret'].map(read)).toEqual(['an old secret', 'old', 's']);
      expect(read('admin_token')).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      rmSync(earlier, { recursive: true });
    }
  });

  test('creates each secret that docker-compose.yml names, and no other file', () => {
    expect(readdirSync(join(folder, 'secrets')).sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const [name, { file }] of Object.entries(compose.secrets)) expect(file).toBe(`./secrets/${name}`);
  });

  test('lets no other user of the machine into the folder, and every container read its own files', () => {
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
    for (const name of Object.keys(compose.secrets)) {
      expect([name, statSync(join(folder, 'secrets', name)).mode & 0o777]).toEqual([name, 0o644]);
    }
  });

  test('keeps a secret that exists, and lets the URLs follow the passwords', () => {
    const before = secret('auth_secret');
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(join(folder, 'secrets', 'redis_password'), 'changed');
    create();
    expect(secret('auth_secret')).toBe(before);
    expect(secret('redis_url')).toBe('redis://dropline:changed@redis:6379');
  });
});

describe('the settings of docker-compose.yml', () => {
  test.each(ours)('%s accepts its settings with the created secrets', (_name, service) => {
    const env = environmentOf(service);
    const names = Object.keys(env).map(name => name.replace(/_FILE$/, '') as SettingName);
    expect(names.filter(name => !SETTING_NAMES.includes(name))).toEqual([]);
    expect(() => readConfig(names, env)).not.toThrow();
  });

  test.each(services)('%s gets its secrets from files, and no others', (_name, { environment = {}, secrets = [] }) => {
    const names = Object.keys(environment);
    expect(names.filter(name => SECRET.test(name))).toEqual([]);
    const files = names.filter(name => name.endsWith('_FILE')).map(name => environment[name]);
    expect(files.filter(file => !secrets.some(name => file === `/run/secrets/${name}`))).toEqual([]);
  });
});

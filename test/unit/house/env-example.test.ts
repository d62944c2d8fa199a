import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readConfig, SETTING_NAMES } from '#core/process/config.js';

const text = readFileSync(join(import.meta.dirname, '../../../.env.example'), 'utf8');
const example = Object.fromEntries([...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

describe('.env.example', () => {
  test('it names every setting, and nothing else', () => {
    expect(Object.keys(example).sort()).toEqual([...SETTING_NAMES].sort());
  });

  test('a comment stands above every setting, or above its pair', () => {
    const blocks = text.split('\n\n').filter(block => /^[A-Z_]+=/m.test(block));
    expect(blocks.filter(block => !block.startsWith('# '))).toEqual([]);
  });

  test('with secrets filled in it is a whole configuration, and its values are the defaults', () => {
    const secrets = { AUTH_SECRET: 'a'.repeat(32), ADMIN_TOKEN: 'abcdefgh'.repeat(2) };
    const stores = { REDIS_URL: example.REDIS_URL, DATABASE_URL: example.DATABASE_URL };
    expect(readConfig(SETTING_NAMES, { ...example, ...secrets })).toEqual(
      readConfig(SETTING_NAMES, { ...stores, ...secrets }),
    );
  });

  test('the secrets have no value that somebody could leave as it is', () => {
    expect([example.AUTH_SECRET, example.ADMIN_TOKEN]).toEqual(['', '']);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readCheckout, runCli } from '../../../bench/against/checkout.js';

const SERVERS = { 'start:api': 'node api', 'start:worker': 'node worker' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropline-checkout-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (content: object) => writeFile(join(folder, 'package.json'), JSON.stringify(content));

describe('a folder to compare with', () => {
  test('without a package.json is no checkout', async () => {
    await expect(readCheckout(folder)).rejects.toThrow(`${folder} is not a checkout of Dropline: it has no readable`);
  });

  test('of another project is no checkout', async () => {
    await write({ name: 'shop', scripts: { ...SERVERS, cli: 'node cli' } });
    await expect(readCheckout(folder)).rejects.toThrow(`${folder} is not a checkout of Dropline`);
  });

  test('without the published commands is no checkout', async () => {
    await write({ name: 'dropline', scripts: { cli: 'node cli' } });
    await expect(readCheckout(folder)).rejects.toThrow('its package.json has no start:api, start:worker');
  });

  test('that can not be set up is refused with the last line of what it wrote', async () => {
    const cli = `sh -c 'echo Installing packages; echo the registry is away >&2; exit 3'`;
    await write({ name: 'dropline', scripts: { ...SERVERS, cli } });
    await expect(readCheckout(folder)).rejects.toThrow(
      `npm run cli -- --help in ${folder} failed: the registry is away`,
    );
  });

  test('runs its own command with the arguments as they are, and without our environment', async () => {
    const check = 'test "$1" = "two words" && test -z "$HOME" && test "$REDIS_URL" = redis://here';
    await write({ name: 'dropline', scripts: { ...SERVERS, cli: `sh -c '[ "$1" = --help ] || { ${check}; }' cli` } });
    const checkout = await readCheckout(folder);
    await runCli(checkout, ['two words'], { REDIS_URL: 'redis://here' });
    await expect(runCli(checkout, ['other words'], {})).rejects.toThrow('failed');
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { build } from '../support/build.js';
import { cli } from '../support/command.js';

const STORES = /^(bullmq|ioredis|pg|@prisma\/.*)$/;
const SETTINGS = { AUTH_SECRET: 'a'.repeat(32), DATABASE_URL: 'postgres://127.0.0.1:1/absent' };

beforeAll(build);

/** Runs a command, and lists the packages that it has loaded. */
async function packagesOf(args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'dropline-cli-'));
  try {
    // Node writes the address of every loaded script into this folder.
    const { exitCode } = await cli(args, { ...SETTINGS, NODE_V8_COVERAGE: folder });
    const [report = ''] = readdirSync(folder);
    const { result }: { result: { url: string }[] } = JSON.parse(readFileSync(join(folder, report), 'utf8'));
    const packages = result.map(({ url }) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? '');
    return { exitCode, packages };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// These libraries take most of a start.
test.each([
  [['--help'], 0],
  [['sale', 'create'], 2],
  [['token', '--buyer', 'b'], 0],
])('%j loads no library of a store', async (args, exitCode) => {
  const loaded = await packagesOf(args);
  expect(loaded.exitCode).toBe(exitCode);
  expect(loaded.packages).toContain('commander');
  expect(loaded.packages.filter(name => STORES.test(name))).toEqual([]);
});

test('a command that needs a store loads its library', async () => {
  const { exitCode, packages } = await packagesOf(['balance', '--buyer', 'b']);
  expect(exitCode).toBe(1);
  expect(packages.filter(name => STORES.test(name))).not.toEqual([]);
});

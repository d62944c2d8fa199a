import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { rebuild } from '#core/maintenance/rebuild.js';
import { checkout } from '#core/process/checkout.js';
import { build } from '../../support/build.js';
import { cli } from '../../support/command.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// Long commands tell a person how far they are.

const ORDERS = 5_000;
const END_OF_LINE = '\u001b[K';

const t = useStores();
let saleId: string;

beforeAll(async () => {
  await build();
  saleId = (await openTestSale(t, { units: ORDERS })).id;
  await t.db.$executeRaw`INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
    SELECT gen_random_uuid(), ${saleId}, 'buyer-' || i, i, 'pending_payment', 500, 'EUR', now() + interval '1 hour'
    FROM generate_series(1, ${ORDERS}::int) i`;
  await rebuild(t, saleId);
});

const storesOf = () => ({ REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl });

/** Runs a command whose standard error is a terminal, and returns what the terminal gets, and the command's output. */
async function onTerminal(command: string): Promise<{ terminal: string; stdout: string }> {
  const output = join(t.redisFolder, `${command}.txt`);
  const line = `'${process.execPath}' dist/apps/cli/main.js ${command} ${saleId} > '${output}'`;
  const { stdout: terminal } = await promisify(execFile)('script', ['-qec', line, '/dev/null'], {
    cwd: checkout,
    env: { PATH: process.env.PATH, ...storesOf() },
  });
  return { terminal, stdout: await readFile(output, 'utf8') };
}

describe.each([
  ['audit', 'every promise holds'],
  ['rebuild', 'is rebuilt in Redis'],
  ['reconcile', 'both stores agree'],
])('the command %s', (command, result) => {
  test('shows a terminal a growing share, and takes it away at the end', async () => {
    const { terminal, stdout } = await onTerminal(command);
    const shares = [...terminal.matchAll(/\] (\d+) %/g)].map(([, percent]) => Number(percent));
    expect(shares.length).toBeGreaterThanOrEqual(3);
    expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b));
    expect(shares[0]).toBeLessThan(60);
    expect(shares.at(-1)).toBe(100);
    expect(terminal.trimStart()).toMatch(/^\[#+\.+\]/);
    expect(terminal.endsWith(`\r${END_OF_LINE}`)).toBe(true);
    expect(stdout).toContain(result);
  });

  test('writes no progress into a file', async () => {
    const { exitCode, stdout, stderr } = await cli([command, saleId], storesOf());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(result);
  });
});

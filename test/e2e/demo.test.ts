import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { checkout } from '../../apps/stack/checkout.js';

const DEADLINE_MS = 90_000;

async function demo(...args: string[]): Promise<string> {
  const command = ['bin/bootstrap.mjs', 'apps/stack/demo', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: checkout, timeout: DEADLINE_MS });
  return stdout;
}

test('the demo ends with one line of JSON that says that all went well', async () => {
  const stdout = await demo('--exit', '--json', '--units', '20', '--buyers', '300', '--pay-within', '2');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const result = JSON.parse(stdout);
  expect(result).toEqual({
    units: 20,
    buyers: 300,
    claimed: result.paid + result.cancelled,
    soldOut: 300 - result.claimed,
    placed: 20,
    paid: 20,
    cancelled: expect.any(Number),
    duplicates: 0,
    oversold: 0,
    lost: 0,
    auditOk: true,
    seconds: expect.any(Number),
  });
});

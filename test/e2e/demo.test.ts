import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { readRunningStack } from '#core/process/running-stack.js';
import { createQuery } from '../chaos/workload/query.js';
import { cli } from '../support/command.js';
import { eventually } from '../support/eventually.js';

const DEADLINE_MS = 280_000;

async function demo(...args: string[]): Promise<string> {
  const command = ['bin/bootstrap.mjs', 'stack/demo', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: checkout, timeout: DEADLINE_MS });
  return stdout;
}

test('the demo ends with one line of JSON that reports success', async () => {
  const stdout = await demo('--exit', '--json', '--units', '20', '--buyers', '300', '--pay-within', '2');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  // Commands no longer find a stack that has ended.
  expect(readRunningStack({})).toEqual({});
  const result = JSON.parse(stdout);
  expect(result).toEqual({
    units: 20,
    buyers: 300,
    claimed: result.paid + result.cancelled,
    joined: 0,
    drawing: 0,
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

test('on a Redis Cluster the demo sells twelve drops at once, proves each, and adds them up', async () => {
  const size = ['--units', '2', '--buyers', '8', '--pay-within', '2', '--pay-share', '1'];
  const { drops, ...total } = JSON.parse(await demo('--cluster', '--exit', '--json', ...size));
  expect(total).toMatchObject({ units: 24, buyers: 96, placed: 24, paid: 24, oversold: 0, lost: 0, auditOk: true });
  expect(drops).toHaveLength(12);
  for (const drop of drops) expect(drop).toMatchObject({ units: 2, buyers: 8, placed: 2, paid: 2, auditOk: true });
  expect(new Set(drops.map(({ node }: { node: string }) => node)).size).toBe(3);
});

/** Gives a buyer of the demo that runs a cent that no transfer explains, as soon as the buyer has an account. */
async function addUnexplainedCent(): Promise<void> {
  const databaseUrl = await eventually(() => readRunningStack({}).DATABASE_URL ?? fail('no demo runs'));
  const query = createQuery(databaseUrl);
  await eventually(async () => {
    const rows = await query(
      "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE owner = 'buyer-1' RETURNING owner",
    );
    expect(rows).toHaveLength(1);
  });
}

function fail(message: string): never {
  throw new Error(message);
}

test('the demo ends with 1 when the money of its sale does not add up', async () => {
  const args = ['--exit', '--json', '--units', '2', '--buyers', '6', '--pay-within', '2', '--pay-share', '1'];
  const ended = demo(...args).then(
    stdout => ({ code: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
  );
  await addUnexplainedCent();
  const { code, stdout } = await ended;
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, paid: 2, oversold: 0, lost: 0, auditOk: false });
});

/** Expects that commands find the demo without settings, for its owner only. */
async function expectFound(): Promise<void> {
  const { stdout } = await cli(['sale', 'list', '--json'], {});
  expect(JSON.parse(stdout)).toHaveLength(2);
  expect(statSync(join(checkout, '.data', 'running.json')).mode & 0o777).toBe(0o600);
  expect(readRunningStack({ REDIS_URL: 'redis://elsewhere' })).toEqual({});
}

test('without --exit the demo stays up until SIGTERM, with a second sale that is paid at the fake provider, and commands find it', async () => {
  const options = ['--units', '3', '--buyers', '20', '--pay-within', '1', '--pay-share', '1'];
  const demo = spawn(process.execPath, ['bin/bootstrap.mjs', 'stack/demo', ...options], { cwd: checkout });
  const ended = once(demo, 'exit');
  try {
    let said = '';
    for await (const chunk of demo.stdout) {
      said += chunk;
      if (said.includes('Ctrl-C')) break;
    }
    expect(said).toMatch(/paid there: by its webhook \d+ ms later/);
    const page = /yourself: (\S+)\)/.exec(said)?.[1] ?? '';
    expect((await fetch(page)).status).toBe(200);
    await expectFound();
  } finally {
    demo.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
});

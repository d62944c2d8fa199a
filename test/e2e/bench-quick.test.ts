import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

/** One short round of some questions, as the whole takes longer than a test may; `npm run bench -- --quick` asks all. */
const ARGS = ['--quick', '--rounds', '1', '--json', '--only', 'bare,wins,refusals,naive,dropline,claimCost100'];

test('the benchmark ends with one line of JSON, and sees the naive shop oversell where Dropline does not', async () => {
  const command = ['--conditions=source', '--import', 'tsx', 'bench/main.ts', ...ARGS];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT });
  const summary = JSON.parse(stdout) as Record<string, number>;
  expect(summary.winsVsBare).toBeGreaterThan(0);
  expect(summary.refusalsVsBare).toBeGreaterThan(0);
  expect(summary.naiveOversold).toBeGreaterThan(0);
  expect(summary.droplineOversold).toBe(0);
});

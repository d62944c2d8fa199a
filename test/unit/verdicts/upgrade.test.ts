import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../chaos/history/history.js';
import { judgeRefusals } from '../../upgrade/refusals.js';
import { readComplaints } from '../../upgrade/rig/logs.js';

/** A poll of a buyer that took 10 ms. */
const poll = (atMs: number, http: number, buyerId = 'ann'): Operation => ({
  op: atMs,
  call: 'order-status',
  saleId: 'drop',
  buyerId,
  outcome: http === 200 ? 'ok' : 'info',
  http,
  invokedAtMs: atMs,
  endedAtMs: atMs + 10,
});

describe('refusals in an upgrade', () => {
  test('of 3 s are allowed, and those of several buyers do not add up', () => {
    const operations = [poll(0, 503), poll(2_990, 200), poll(3_000, 0, 'bob'), poll(5_990, 200, 'bob')];
    expect(judgeRefusals(operations, 0)).toEqual({ refused: 2, refusedMaxMs: 3_000, violations: [] });
  });

  test('of more than 3 s are a violation', () => {
    const { violations } = judgeRefusals([poll(0, 503), poll(1_000, 500), poll(2_991, 200)], 0);
    expect(violations).toEqual(['a buyer was refused with 5xx for 3001 ms']);
  });

  test('count from the first refusal to the next answer, also one without a status', () => {
    const unanswered = { ...poll(0, 0), http: undefined };
    expect(judgeRefusals([poll(4_000, 200), unanswered as unknown as Operation], 0).violations).toHaveLength(1);
    expect(judgeRefusals([poll(0, 200), poll(4_000, 200)], 0)).toEqual({ refused: 0, refusedMaxMs: 0, violations: [] });
  });

  test('may last twice as long as an API takes to be replaced', () => {
    const operations = [poll(0, 503), poll(7_990, 200)];
    expect(judgeRefusals(operations, 4_000).violations).toEqual([]);
    expect(judgeRefusals(operations, 3_999).violations).toHaveLength(1);
  });
});

describe('the logs of an upgrade', () => {
  const line = (level: number, msg: string, more: object = {}) => JSON.stringify({ level, msg, ...more });

  async function complaintsIn(...lines: string[]): Promise<string[]> {
    const folder = await mkdtemp(join(tmpdir(), 'dropline-logs-'));
    try {
      await writeFile(join(folder, 'worker-1.log'), lines.map(text => `${text}\n`).join(''));
      return await readComplaints(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test('may tell of the start and the end of a process, and of a slow machine', async () => {
    expect(await complaintsIn(line(30, 'ended'), line(40, 'a step took longer than 900 ms'))).toEqual([]);
  });

  test.each([
    ['a warning', line(40, 'repaired')],
    ['an error', line(50, 'a job failed')],
    ['a line that is no log line', 'Segmentation fault'],
  ])('with %s are a violation', async (_, text) => {
    expect(await complaintsIn(text)).toEqual([`log: worker-1.log: ${text}`]);
  });

  test('with many complaints list five of them', async () => {
    const complaints = await complaintsIn(...Array(7).fill(line(50, 'a job failed')));
    expect(complaints).toHaveLength(6);
    expect(complaints.at(-1)).toBe('log: worker-1.log: 2 more');
  });
});

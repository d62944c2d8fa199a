import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runTests } from '../../controls/run/run-tests.js';
import { type ControlResult, exitCodeOf, isCaught, type Said } from '../../controls/run/try-bugs.js';
import { createScratch, type Scratch } from '../../support/scratch.js';

// The runner of the controls, on a file of tests of our own in a copy of the sources.

const FILE = { kind: 'unit', file: 'odd' } as const;
const TESTS = `
import { expect, test } from '@jest/globals';
let earlier = 0;
test('an earlier test', () => void (earlier += 1));
test('passes only after the earlier one', () => expect(earlier).toBe(1));
test('passes only alone', () => expect(earlier).toBe(0));
`;

let scratch: Scratch;

beforeAll(async () => {
  scratch = await createScratch();
});
afterAll(() => scratch?.remove());

/** Writes a file of tests into the copy, and runs one test of it, or all. */
async function run(text: string, title?: string) {
  await mkdir(join(scratch.folder, 'test', 'unit'), { recursive: true });
  await writeFile(join(scratch.folder, 'test', 'unit', 'odd.test.ts'), text);
  const { results, broken } = await runTests(scratch.folder, {
    ...FILE,
    ...(title && { title }),
    testTimeoutMs: 2_000,
  });
  return { broken, results: Object.fromEntries(results.map(({ fullName, status }) => [fullName, status])) };
}

const odd = (body: string): string => `
import { test } from '@jest/globals';
test('goes well', () => undefined);
test('goes wrong', ${body});
`;

test('a file of tests is run whole, or one test of it alone', async () => {
  expect((await run(TESTS)).results).toEqual({
    'an earlier test': 'passed',
    'passes only after the earlier one': 'passed',
    'passes only alone': 'failed',
  });
  expect((await run(TESTS, 'passes only alone')).results).toEqual({ 'passes only alone': 'passed' });
  expect((await run(TESTS, 'passes only after')).results).toEqual({ 'passes only after the earlier one': 'failed' });
});

describe('the name of the test is said when', () => {
  test('a test ends the runner', async () => {
    const { broken, results } = await run(odd('() => process.exit(3)'));
    expect({ broken, results }).toEqual({ broken: 'the runner ended (exit code 3) in "goes wrong"', results: {} });
  });

  test('a test blocks the runner', async () => {
    const { broken } = await run(odd('() => { for (;;); }'));
    expect(broken).toBe('the runner stood still in "goes wrong"');
  });

  test('a test never ends', async () => {
    const { broken, results } = await run(odd('() => new Promise(() => undefined)'));
    expect({ broken, results }).toEqual({
      broken: undefined,
      results: { 'goes well': 'passed', 'goes wrong': 'failed' },
    });
  });

  test('a file can not be loaded', async () => {
    const { broken, results } = await run('process.exit(4);');
    expect({ broken, results }).toEqual({
      broken: 'the runner ended (exit code 4) before the first test',
      results: {},
    });
  });
});

describe('a bug', () => {
  const caught: Said = { caught: true, seconds: 1, said: 'expected 1' };
  const missed: Said = { caught: false, seconds: 1, said: 'no test failed' };
  const result = (alone: Said, whole: Said): ControlResult => ({
    bug: 'none',
    edits: [],
    caughtBy: { ...FILE, title: 'goes wrong' },
    alone,
    whole,
  });

  test.each([
    ['in both ways', caught, caught, true],
    ['by its test alone, not with the whole file', caught, missed, false],
    ['with the whole file, not by its test alone', missed, caught, false],
    ['in no way', missed, missed, false],
  ])('that was caught %s: the run ends accordingly', (_, alone, whole, isEnough) => {
    expect(isCaught(result(alone, whole))).toBe(isEnough);
    expect(exitCodeOf([result(caught, caught), result(alone, whole)])).toBe(isEnough ? 0 : 1);
  });
});

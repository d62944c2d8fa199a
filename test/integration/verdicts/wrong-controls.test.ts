import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bug, INIT, lua, one } from '../../controls/bug.js';
import { judge } from '../../controls/run/judge.js';
import { runTests } from '../../controls/run/run-tests.js';
import { type ControlResult, exitCodeOf, tryBugs } from '../../controls/run/try-bugs.js';
import { createScratch, type Scratch } from '../../support/scratch.js';

// Controls that are wrong themselves. The test of each fails, or is never run, and has noticed nothing.

const RECEIPT = {
  kind: 'unit',
  file: 'core/identity/receipt',
  title: 'a receipt of another buyer is refused',
} as const;
const CANCEL = { kind: 'integration', file: 'jobs/cancel-order', title: 'a paid order stays paid' } as const;

/** Tries bugs, and returns what was said of each way. */
async function say(bugs: Bug[]): Promise<{ said: string[][]; exitCode: number }> {
  const results: ControlResult[] = await tryBugs(bugs, {
    sharedPostgres: process.env.SHARED_POSTGRES,
    tell: () => undefined,
  });
  const inOrder = bugs.map(({ bug }) => results.filter(result => result.bug === bug));
  return {
    said: inOrder.map(([result]) => [result?.alone, result?.whole].map(way => `${way?.isError}: ${way?.said}`)),
    exitCode: exitCodeOf(results),
  };
}

const twice = (said: unknown) => [said, said];
const saying = (text: string) => expect.stringMatching(new RegExp(`^true: the bug does not compile: .*${text}`));

test('a bug whose text does not compile is an error, in both ways', async () => {
  const bugs = [
    one('TypeScript', { file: 'core/identity/receipt.ts', find: '{buyerId}.$', replace: '{buyerId.$' }, RECEIPT),
    one('a name', { file: 'core/identity/receipt.ts', find: '{buyerId}.$', replace: '{nobody}.$' }, RECEIPT),
    one('Lua', { file: lua('claim'), find: 'elseif seen[buyer] then', replace: 'elseif then' }, RECEIPT),
    one(
      'the page',
      { file: 'apps/web/scripts/page.js', find: "announce(texts.begun[now] ?? '');", replace: 'announce(' },
      RECEIPT,
    ),
    one('SQL', { file: 'core/postgres/orders/end-orders.ts', find: 'AND buyer_id = $', replace: 'AND = $' }, CANCEL),
    one(
      'a migration',
      { file: INIT, find: 'UNIQUE INDEX "orders_live_unit"', replace: 'INDEKS "orders_live_unit"' },
      CANCEL,
    ),
  ];
  expect(await say(bugs)).toEqual({
    said: [
      twice(saying('core/identity/receipt.ts: ')),
      twice(saying('ReferenceError: nobody is not defined')),
      twice(saying('core/redis/lua/claim.lua: ERR Error compiling script')),
      twice(saying('apps/web/scripts/page.js: ')),
      twice(saying('syntax error at or near "="')),
      twice(saying('syntax error at or near "INDEKS"')),
    ],
    exitCode: 1,
  });
});

test('an error in one lane ends the test in the other, and is the only one that is reported', async () => {
  const edit = { file: 'core/identity/receipt.ts', find: '{buyerId}.$', replace: "{'anybody'}.$" };
  const lost = { ...edit, find: 'a text that is gone' };
  const ended = say([one('in the first lane', edit, RECEIPT), one('in the second lane', lost, RECEIPT)]);
  await expect(ended).rejects.toThrow('core/identity/receipt.ts has this text 0 times, not once: a text that is gone');
});

test('a test that fails without the bug is an error, and does not keep the others from being tried', async () => {
  const edit = { file: 'core/identity/receipt.ts', find: '{buyerId}.$', replace: "{'anybody'}.$" };
  const gone = { ...RECEIPT, title: 'a receipt that nobody has thought of' };
  const { said, exitCode } = await say([one('no such test', edit, gone), one('a true control', edit, RECEIPT)]);
  expect(said).toEqual([
    twice(`true: without the bug: no test has this title: ${gone.title}`),
    twice(expect.stringMatching(/^undefined: expect\(received\)/)),
  ]);
  expect(exitCode).toBe(1);
});

describe('a file of tests', () => {
  const scratches: Scratch[] = [];

  beforeAll(async () => {
    for (let count = 0; count < 3; count += 1) scratches.push(await createScratch());
  });
  afterAll(() => Promise.all(scratches.map(scratch => scratch.remove())));

  /** Runs a file of our own in a copy, and judges the test `notices`. */
  async function judged(text: string, way: { title?: string; copy?: number }) {
    const folder = scratches[way.copy ?? 0]?.folder ?? '';
    await mkdir(join(folder, 'test', 'unit'), { recursive: true });
    await writeFile(
      join(folder, 'test', 'unit', 'odd.test.ts'),
      `import { beforeAll, test } from '@jest/globals';\n${text}`,
    );
    const { title } = way;
    const run = await runTests(folder, { kind: 'unit', file: 'odd', testTimeoutMs: 2_000, ...(title && { title }) });
    return judge(run, 'notices');
  }

  const WAYS = [
    ['alone', { title: 'notices' }],
    ['with its file', {}],
  ] as const;

  test.each(WAYS)('that can not be loaded is an error, when run %s', async (_, way) => {
    expect(await judged("import './no-such-module.js';\ntest('notices', () => undefined);", way)).toEqual({
      caught: false,
      isError: true,
      said: expect.stringContaining(
        'the file of the test can not be loaded: Could not locate module ./no-such-module.js',
      ),
    });
  });

  test.each(WAYS)('without the title is an error, when run %s', async (_, way) => {
    const said = 'no test has this title: notices';
    expect(await judged("test('another one', () => { throw new Error('x'); });", way)).toEqual({
      caught: false,
      isError: true,
      said,
    });
  });

  test.each(WAYS)('with stores that never start is an error, when run %s', async (_, way) => {
    expect(
      await judged("beforeAll(() => new Promise(() => undefined));\ntest('notices', () => undefined);", way),
    ).toEqual({
      caught: false,
      isError: true,
      said: expect.stringContaining('something around the test failed, not the test: '),
    });
  });

  test.each(WAYS)('with a test that fails beside its own function is an error, when run %s', async (_, way) => {
    const text =
      "test('notices', () => new Promise(done => { setTimeout(() => { setImmediate(done); throw new Error('late'); }); }));";
    expect(await judged(text, way)).toMatchObject({ caught: false, isError: true });
  });

  test('that is ended by a signal ends at once, with the reason of the signal', async () => {
    const stop = new AbortController();
    const folder = scratches[0]?.folder ?? '';
    const run = runTests(folder, { ...RECEIPT, testTimeoutMs: 2_000, signal: stop.signal });
    stop.abort(new Error('the other lane broke'));
    await expect(run).rejects.toThrow('the other lane broke');
    expect(await readFile(join(folder, 'note.txt'), 'utf8')).toBe('before the tests were loaded');
  });

  test('that hangs names its test within 20 s, wherever it hangs', async () => {
    const hangs = [
      ["test('notices', () => { for (;;); });", 'the runner stood still in "notices"'],
      ["for (;;);\ntest('notices', () => undefined);", 'the runner stood still before the first test'],
      [
        "await new Promise(() => undefined);\ntest('notices', () => undefined);",
        'the runner stood still before the first test',
      ],
    ] as const;
    const ends = hangs.map(async ([text, said], copy) => {
      const begins = "import { writeFileSync } from 'node:fs';\nwriteFileSync('begins.txt', '');\n";
      expect(await judged(begins + text, { copy })).toEqual({ caught: false, isError: true, said });
      return Date.now() - (await stat(join(scratches[copy]?.folder ?? '', 'begins.txt'))).mtimeMs;
    });
    for (const tookMs of await Promise.all(ends)) expect(tookMs).toBeLessThan(20_000);
  });
});

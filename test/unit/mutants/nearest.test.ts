import { describe, expect, test } from '@jest/globals';
import { functionsOf } from '../../mutants/nearest/functions.js';
import { ImportGraph } from '../../mutants/nearest/import-graph.js';
import { instrument } from '../../mutants/nearest/instrument.js';
import { blocksOf, instrumentLua } from '../../mutants/nearest/lua-blocks.js';
import { reachedBy } from '../../mutants/nearest/measure-reach.js';
import { NearestTests } from '../../mutants/nearest/nearest.js';
import { formatReach, parseReach, type Reached } from '../../mutants/nearest/reach.js';
import { compile } from '../../mutants/runs/compiled.js';

const FILE = 'core/rules/sale.ts';
const fail = (): never => {
  throw new Error('there is no such block');
};

const TEXT = [
  'export class A {',
  '  b(): number { return 1; }',
  '  c = (x: number) => ({ x });',
  '}',
  'const é = [1].map(one => one + 1);',
  'const two = [1].map(one => one + 2);',
].join('\n');

describe('the functions of a file', () => {
  const spots = functionsOf(FILE, TEXT);

  test('have names from the outside in', () => {
    const ids = spots.map(({ id }) => id);
    expect(ids).toEqual([`${FILE}#b`, `${FILE}#c`, `${FILE}#()`, `${FILE}#():2`]);
  });

  test('have their offsets, also after letters of several bytes', () => {
    expect(spots.map(({ start, end }) => TEXT.slice(start, end)).slice(2)).toEqual([
      'one => one + 1',
      'one => one + 2',
    ]);
  });

  test('say when they are called, and compute what they did before', () => {
    const instrumented = instrument(FILE, TEXT, '/folder');
    expect(() => compile(FILE, instrumented)).not.toThrow();
    expect(instrumented.split('\n')).toHaveLength(TEXT.split('\n').length);
    expect(instrumented).toContain(`b(): number { globalThis.__hit?.("${FILE}#b"); return 1; }`);
    expect(instrumented).toContain(`(x: number) => (globalThis.__hit?.("${FILE}#c"), ({ x }))`);
  });
});

describe('the nearest tests', () => {
  const UNIT = 'test/unit/core/sale.test.ts';
  const CLAIM = 'test/integration/scripts/claim.test.ts';
  const MODEL = 'test/integration/model.test.ts';
  const texts = new Map([
    [FILE, 'export const a = () => 1;\nexport const b = () => 2;'],
    [UNIT, "import { a } from '#core/rules/sale.js';"],
    [CLAIM, ''],
    [MODEL, ''],
  ]);
  const reached = (ms: number, ...spots: string[]): Reached => ({ ms, spots: new Set(spots), tests: new Map() });
  const nearestOf = (reach: [string, Reached][]) =>
    new NearestTests({ texts, graph: new ImportGraph(texts), reach: new Map(reach) });

  test('are those that reach the function: units first, then quick ones with many tests that reach little', () => {
    const nearest = nearestOf([
      [UNIT, reached(100, `${FILE}#a`)],
      [MODEL, reached(900, `${FILE}#a`, `${FILE}#b`, `${FILE}#`)],
      [CLAIM, reached(500, `${FILE}#a`)],
    ]);
    expect(nearest.of(FILE, 20).tests).toEqual([UNIT, CLAIM, MODEL]);
    expect(nearest.of(FILE, texts.get(FILE)?.lastIndexOf('2') ?? 0).tests).toEqual([MODEL]);
    const each = (...sizes: number[]) =>
      new Map(
        sizes.map((size, index) => [
          `${index}`,
          { ms: 0, spots: new Set([`${FILE}#a`, ...Array(size).keys()].map(String)) },
        ]),
      );
    const [few, many] = [
      { ...reached(500, `${FILE}#a`), tests: each(9) },
      { ...reached(900, `${FILE}#a`), tests: each(9, 8, 7) },
    ];
    const byTests = nearestOf([
      [CLAIM, few],
      [MODEL, many],
    ]);
    expect(byTests.of(FILE, 20).tests).toEqual([UNIT, MODEL, CLAIM]);
  });

  test('are those that import the file rather than those that reach it through others', () => {
    const ROUND = 'test/unit/core/round.test.ts';
    const both = new Map([...texts, [ROUND, "import { b } from '../../mutants/round.js';"]]);
    const reach = new Map([UNIT, ROUND].map(test => [test, reached(test === UNIT ? 300 : 100, `${FILE}#`)]));
    const nearest = new NearestTests({ texts: both, graph: new ImportGraph(both), reach });
    expect(nearest.of(FILE, TEXT.length).tests).toEqual([UNIT, ROUND]);
  });

  test('of a script are those that run the block, or else the block around it', () => {
    const script = 'core/redis/lua/claim.lua';
    const lua = "if x then\n  if y then return 'inner' end\n  return 'outer'\nend\nreturn 'end'\n";
    const [, outer = fail(), inner = fail()] = blocksOf(script, lua);
    const all = new Map([...texts, [script, lua]]);
    const testsAt = (word: string, reach: [string, Reached][]) =>
      new NearestTests({ texts: all, graph: new ImportGraph(all), reach: new Map(reach) }).of(script, lua.indexOf(word))
        .tests;
    const both: [string, Reached][] = [
      [CLAIM, reached(500, `${script}#`, outer.id)],
      [MODEL, reached(900, `${script}#`)],
    ];
    expect(testsAt('end', both)).toEqual([CLAIM]);
    expect(testsAt("'end'", both)).toEqual([CLAIM, MODEL]);
    expect(testsAt('inner', both)).toEqual([CLAIM]);
    expect(testsAt('inner', [...both, [UNIT, reached(100, `${script}#`, outer.id, inner.id)]])).toEqual([UNIT]);
  });

  test('of a part of scripts are first those with the name of a script with it', () => {
    const part = 'core/redis/lua/include/fence.lua';
    const all = new Map([...texts, [part, 'return 1'], ['core/redis/lua/claim.lua', '-- @include fence\nreturn 1\n']]);
    const reach = new Map([CLAIM, MODEL].map(test => [test, reached(test === CLAIM ? 900 : 500, `${part}#`)]));
    const nearest = new NearestTests({ texts: all, graph: new ImportGraph(all), reach });
    expect(nearest.of(part, 0).tests).toEqual([CLAIM, MODEL]);
  });

  test('leave out those in a file that do not reach the function', () => {
    const tests = new Map([
      ['one', { ms: 300, spots: new Set([`${FILE}#a`]) }],
      ['two', { ms: 500, spots: new Set([`${FILE}#b`]) }],
    ]);
    const nearest = nearestOf([[CLAIM, { ...reached(900, `${FILE}#a`, `${FILE}#b`), tests }]]);
    expect(nearest.of(FILE, 20).leftOut[CLAIM]).toEqual(['two']);
    expect(nearest.of(FILE, TEXT.length).leftOut).toEqual({ [UNIT]: [] });
  });

  test('are those that load the file, where no run has seen its function', () => {
    expect(
      nearestOf([
        [CLAIM, reached(500)],
        [MODEL, reached(500)],
      ]).of(FILE, 20).tests,
    ).toEqual([UNIT]);
  });

  test('take at most 15 s together beside the units, and 30 s for money and scripts', () => {
    const many = Array.from({ length: 20 }, (_, index) => `test/integration/jobs/${index}.test.ts`);
    const all = new Map([...texts, ...many.map(path => [path, ''] as const)]);
    const of = (ms: number, file = FILE) => {
      const reach = new Map([[UNIT, reached(1)], ...many.map(path => [path, reached(ms, `${file}#a`)] as const)]);
      const nearest = new NearestTests({
        texts: all.set(file, texts.get(FILE) ?? ''),
        graph: new ImportGraph(all),
        reach,
      });
      return nearest.of(file, 20).tests.length;
    };
    expect(of(6_000)).toBe(2);
    expect(of(6_000, 'core/rules/refund.ts')).toBe(5);
    expect(of(100_000)).toBe(1);
  });
});

test('the blocks of a script say when they run, and its first line stays the first', () => {
  const instrumented = instrumentLua('core/redis/lua/a.lua', '#!lua\nif x then return 1 end\nreturn nil\n').split('\n');
  expect(instrumented[0]).toBe('#!lua');
  expect(instrumented.join('\n')).toMatch(
    /__tell\('core\/redis\/lua\/a\.lua#'\); if x then __tell\('core\/redis\/lua\/a\.lua#\w{8}'\); return 1 end/,
  );
});

describe('the reach of a test', () => {
  const hits = [' a#', 'one a#f', 'two a#f', 'two a#g', ''].join('\n');
  const { spots, tests } = reachedBy(hits, [
    ['one', 10],
    ['two', 20],
  ]);

  test('has the calls of the test, and those of its file outside of tests', () => {
    expect([...(tests.get('one')?.spots ?? [])]).toEqual(['a#', 'a#f']);
    expect([...(tests.get('two')?.spots ?? [])]).toEqual(['a#', 'a#f', 'a#g']);
  });

  test('is read as it was written', () => {
    const reach = new Map([
      ['test/unit/a.test.ts', { ms: 50, spots, tests }],
      ['test/unit/b.test.ts', { ms: 7, spots: new Set(['b#']), tests: new Map() }],
    ]);
    expect(parseReach(formatReach(reach))).toEqual(reach);
  });
});

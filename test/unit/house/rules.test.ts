import { describe, expect, test } from '@jest/globals';
import { aliases, booleanArguments, longParameterLists } from './rules/calls.js';
import type { Source } from './rules/checkout.js';
import { undescribedExports } from './rules/exports.js';
import { type Finding, formatFinding } from './rules/finding.js';
import { foreignVerbs, secondMeanings } from './rules/meanings.js';
import { bannedPhrases, hiddenSubjects } from './rules/phrases.js';
import { deadLinks, deadPaths } from './rules/references.js';
import { measureFunctions } from './rules/sizes.js';
import { parse } from './rules/syntax.js';
import { tautologicalTags } from './rules/tags.js';
import { fullNamesOf } from './rules/titles.js';

// A rule that finds nothing proves nothing: each is shown what it is there to find, and what it has to let pass.

const at = (path: string, ...lines: string[]): Source => ({ path, text: `${lines.join('\n')}\n` });
const code = (...lines: string[]): Source => at('core/a.ts', ...lines);
const linesOf = (findings: Finding[]): (number | undefined)[] => findings.map(({ line }) => line);

describe('comments', () => {
  test('are found beside literals that look like them, with the line after letters of several bytes', () => {
    const { comments } = parse(
      code("const é = 'http://é'; // one", '/* two */ const b = /\\/\\*/;', '// three', '// four'),
    );
    expect(comments.map(({ text, line }) => [text, line])).toEqual([
      ['// one', 1],
      ['/* two */', 2],
      ['// three\n// four', 3],
    ]);
  });

  test('describe an export with a sentence directly above it', () => {
    const source = code(
      '/** Reads a sale. */',
      'export const a = 1;',
      '/** @returns a sale */',
      'export const b = 1;',
      '/** reads a sale. */',
      'export const c = 1;',
      '/** Reads a sale. */',
      '',
      'export const d = 1;',
      'const e = 1;',
      'export { e };',
      "export { f } from './f.js';",
    );
    expect(undescribedExports([source]).map(({ text }) => text)).toEqual(['b', 'c', 'd', 'e']);
  });

  test('have no tag that repeats the signature', () => {
    const source = code(
      '/**',
      ' * Places claims.',
      ' *',
      ' * @param db the database, or a transaction',
      ' * @param saleId the sale',
      ' * @param limitMs how long to wait, in ms',
      ' * @param claims 1 to 500 claims',
      ' * @returns the orders',
      ' * @throws the error',
      ' */',
      'export async function place(db: Db, saleId: string, limitMs: number, claims: Claim[]): Promise<Order[]> {',
      '}',
    );
    expect(linesOf(tautologicalTags([source]))).toEqual([4, 5, 8]);
  });
});

describe('words', () => {
  test('of our own dialect are found in comments, titles and documents, also over a line break', () => {
    const sources = [
      code('// It waits so', '// long.', "const text = 'so long';"),
      at('test/a.test.ts', "test('a buyer is told so', () => {});"),
      at('docs/a.md', 'It goes on. `goes on`', '```', 'goes on', '```'),
      at('core/a.lua', '-- For whoever waits.'),
    ];
    expect(
      bannedPhrases(sources)
        .map(formatFinding)
        .map(text => text.split(': ', 2).join(' ')),
    ).toEqual([
      'core/a.ts:1 "so long"',
      'test/a.test.ts:1 "is told"',
      'docs/a.md:1 "goes on"',
      'core/a.lua:1 "whoever"',
    ]);
  });

  test('hide no subject, but in a question or a heading', () => {
    const sources = [
      code('// A claim. What is placed stays.', '/** What is it? */', '/** @returns what is placed */'),
      at('test/a.test.ts', "test('who waits gets news', () => {});"),
      at('docs/a.md', '# What it does', '', '| Who | What |', '| --- | --- |', '| a | Who pays for it all |'),
    ];
    expect(hiddenSubjects(sources).map(({ path, line }) => `${path}:${line}`)).toEqual([
      'core/a.ts:1',
      'test/a.test.ts:1',
      'docs/a.md:5',
    ]);
  });

  test('have one meaning', () => {
    const source = code(
      'const settlement = Promise.allSettled([]);',
      "enqueueSettleReceipt('settle');",
      'const settled = 1;',
      '// A change in one place.',
      '// Returns the place order of its kind.',
    );
    expect(linesOf(secondMeanings([source]))).toEqual([4, 3]);
    expect(linesOf(foreignVerbs([code('export function makeSale() {}', 'export function openSale() {}')]))).toEqual([
      1,
    ]);
  });
});

describe('code', () => {
  test('has no alias, no boolean argument and no long list of parameters', () => {
    const source = code(
      "import { a as b, c } from './a.js';",
      'c(true);',
      'resolve(true);',
      'export function d(one: A, two: B, three: C, four: D) {}',
      'export function e(one: A, two: B, three: C, { four }: EOptions) {}',
    );
    expect(linesOf(aliases([source]))).toEqual([1]);
    expect(linesOf(booleanArguments([source]))).toEqual([2]);
    expect(linesOf(longParameterLists([source]))).toEqual([4]);
  });

  test('is measured function by function, but for the chapters of tests', () => {
    const source = code('function a() {', '  return () => {', '  };', '}', "describe('b', () => {", '});');
    expect(measureFunctions(source).map(({ name, lines }) => [name, lines])).toEqual([
      ['a', 4],
      ['a callback', 2],
    ]);
  });
});

describe('references', () => {
  test('to files, tests and headings are followed', () => {
    const sources = [
      at(
        'docs/a.md',
        '`core/b.ts` `core/c.ts` `unit/b` `unit/{b,c}` `b.ts` `c.ts`',
        '[b](a.md#one-two) [c](a.md#no)',
        '# One, two',
      ),
      at('core/b.ts'),
      at('test/unit/b.test.ts'),
    ];
    const checkout = { sources };
    expect(deadPaths(checkout).map(({ text }) => text)).toEqual(['core/c.ts', 'c.ts']);
    expect(deadLinks(checkout).map(({ text }) => text)).toEqual(['a.md#no']);
  });

  test('to tests know chapters and tables', () => {
    const source = at(
      'test/a.test.ts',
      "describe('a', () => {",
      "  test.each([['b', 1], ['c', 2]])('is %s', () => {});",
      '});',
    );
    expect(fullNamesOf(source)).toEqual(['a is b', 'a is c']);
  });
});

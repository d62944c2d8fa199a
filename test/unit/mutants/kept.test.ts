import { expect, test } from '@jest/globals';
import { Results } from '../../mutants/results/results.js';
import { scopeOf } from '../../mutants/results/scope.js';

const FILE = 'core/rules/sale.ts';
const TEST = 'test/unit/core/sale.test.ts';
const OTHER = 'test/unit/core/other.test.ts';
const A = 'export const a = (x: number) => x > 1;\n';
const B = 'export function b(x: number) {\n  return x > 2;\n}\n';

/** The mutant of the first comparison after some text. */
function triedIn(text: string, after: string) {
  const start = text.indexOf('>', text.indexOf(after));
  return {
    mutant: { file: FILE, operator: 'turned', start, end: start + 1, replacement: '>=' },
    text,
    tests: [TEST, OTHER],
  };
}

const resultsOf = (tests: Record<string, string>, lines: string) => {
  const results = new Results(new Map(Object.entries(tests)), 'unit');
  results.parse(lines);
  return results;
};
const TESTS = { [TEST]: 'expects', [OTHER]: 'expects more' };

function lineOf(state: 'caught' | 'survived', tests: Record<string, string> = TESTS): string {
  const results = resultsOf(tests, '');
  const tried = triedIn(A + B, 'function b');
  results.keep(tried, { state, by: TEST, met: [] });
  return results.format([tried]);
}

test('a result is one line, and sorted lines are read in any order', () => {
  expect(lineOf('caught')).toMatch(/^core\/rules\/sale\.ts \w{12} \w{12} caught\n$/);
  const both = resultsOf(TESTS, lineOf('survived') + lineOf('caught'));
  expect(both.format([triedIn(A + B, 'function b')])).toBe(lineOf('caught'));
});

test('a result holds when other functions of the file change, and not when its own does', () => {
  const results = resultsOf(TESTS, lineOf('caught'));
  const more = `import { c } from './c.js';\n${A.replace('1', 'c')}`;
  expect(results.find(triedIn(more + B, 'function b'))).toBe('caught');
  expect(results.find(triedIn(A + B.replace('2', '3'), 'function b'))).toBeUndefined();
  expect(results.find(triedIn(A + B, 'const a'))).toBeUndefined();
});

test('a mutant stays caught as long as the test that caught it, and survives as long as all tests that it met', () => {
  const after = { ...TESTS, [OTHER]: 'expects this' };
  expect(resultsOf(after, lineOf('caught')).find(triedIn(A + B, 'function b'))).toBe('caught');
  expect(resultsOf(after, lineOf('survived')).find(triedIn(A + B, 'function b'))).toBeUndefined();
  expect(resultsOf({ ...TESTS, [TEST]: '' }, lineOf('caught')).find(triedIn(A + B, 'function b'))).toBeUndefined();
});

test('the rest of a file is a text of its own, without the functions', () => {
  const text = `${A}export const limit = 1 > 0;\n${B}`;
  const { id, text: outside, offset } = scopeOf(triedIn(text, 'limit').mutant, text);
  expect(id).toBe(`${FILE}#`);
  expect(outside).toBe('export const a = ;\nexport const limit = 1 > 0;\nexport \n');
  expect(outside[offset]).toBe('>');
});

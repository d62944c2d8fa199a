import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

// House rules that no linter knows. Each message says what to do.

const ROOT = join(import.meta.dirname, '../../..');
const GENERATED = 'core/postgres/generated';
const LINES_MAX = 300;
const SCRIPT_LINES_MAX = 60;
const BANNED_WORDS = ['util', 'utils', 'helper', 'helpers', 'manager', 'service', 'handler', 'common', 'misc'];

type Source = { path: string; text: string };

const listed = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter(path => !path.startsWith(GENERATED));

const read = (path: string): Source => ({ path, text: readFileSync(join(ROOT, path), 'utf8') });

const product = [...listed('core'), ...listed('apps'), ...listed('stack')];
const sources = product.filter(path => /\.(ts|js|lua|sql|css|html)$/.test(path)).map(read);
const scripts = sources.filter(source => source.path.endsWith('.lua'));
const tests = listed('test')
  .filter(path => path.endsWith('.ts'))
  .map(read);

const linesOf = (text: string): string[] => text.split('\n');

/** Where `pattern` occurs, as file:line, so that a terminal makes it a link. */
const places = (files: Source[], pattern: RegExp): string[] =>
  files.flatMap(({ path, text }) =>
    linesOf(text).flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );

/** Fails with the advice and the places it concerns. */
const expectNone = (found: string[], advice: string): void => {
  expect(found.length === 0 ? '' : `${advice}\n${found.join('\n')}`).toBe('');
};

describe('files', () => {
  test('a file is read in one go', () => {
    const long = [...sources, ...tests].filter(({ text }) => linesOf(text).length > LINES_MAX).map(({ path }) => path);
    expectNone(long, `more than ${LINES_MAX} lines: cut the file where it has two subjects`);
  });

  test('a name says what the file is about', () => {
    const vague = [...product, ...tests.map(source => source.path)].filter(path =>
      basename(path)
        .split(/[.\-_]/)
        .some(word => BANNED_WORDS.includes(word.toLowerCase())),
    );
    expectNone(vague, 'a word that fits anything: name the file after the one noun it is about');
  });
});

describe('sources', () => {
  test('settings are read in one place', () => {
    const found = places(
      sources.filter(source => source.path !== 'core/process/config.ts'),
      /\bprocess\.env\b/,
    );
    expectNone(found, 'process.env is read only in core/process/config.ts: add the setting there and pass it on');
  });

  test('a value is never pasted into SQL', () => {
    const found = places([...sources, ...tests], /\$(query|execute)RawUnsafe/);
    expectNone(found, 'use the tagged template $queryRaw / $executeRaw: it sends values as parameters');
  });

  test('nothing is left for later', () => {
    const found = places([...sources, ...tests], /\b(TODO|FIXME|XXX)\b/);
    expectNone(
      found.filter(place => !place.startsWith('test/unit/house/tidy.test.ts')),
      'do it now, or file an issue',
    );
  });
});

describe('scripts', () => {
  const header = (script: Source): string => {
    const lines = linesOf(script.text);
    const end = lines.findIndex(line => line.trim() !== '' && !/^(--|#!)/.test(line.trim()));
    return lines.slice(0, end === -1 ? lines.length : end).join('\n');
  };

  const entryPoints = scripts.filter(script => !script.path.includes('/include/'));

  test.each(['KEYS', 'ARGV', 'Returns'])('the header of each script tells its %s', word => {
    const silent = entryPoints.filter(script => !header(script).includes(word)).map(script => script.path);
    expectNone(silent, `the comment at the top must say what the script takes and gives: ${word} is missing`);
  });

  test('a script blocks Redis, so it is short', () => {
    const code = (script: Source): number =>
      linesOf(script.text).filter(line => line.trim() !== '' && !/^(--|#!)/.test(line.trim())).length;
    const long = scripts.filter(script => code(script) > SCRIPT_LINES_MAX).map(script => script.path);
    expectNone(long, `more than ${SCRIPT_LINES_MAX} lines of code: move a step to lua/include/, or out of Redis`);
  });
});

describe('tests', () => {
  test('none is left out', () => {
    const found = places(
      tests,
      /\b(test|it|describe)(\.each)?\.(only|skip|todo)\b|\b(xit|xtest|xdescribe|fit|fdescribe)\(/,
    );
    expectNone(found, 'every test runs: remove the .only, .skip or .todo, or the test');
  });
});

import { basename, join } from 'node:path';
import { describe, test } from '@jest/globals';
import { below, CODE, countLines, readCheckout, scriptsOf } from './rules/checkout.js';
import { expectNone } from './rules/finding.js';
import { FILES_MAX, filesPerFolder, measureFunctions } from './rules/sizes.js';

const LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;
const VAGUE = ['util', 'utils', 'helper', 'helpers', 'manager', 'service', 'handler', 'common', 'misc'];

/** Redis's scripts are one list, as Redis has one list of commands. */
const LISTS = ['core/redis/lua'];

const sources = below(readCheckout(join(import.meta.dirname, '../../..')), CODE);

describe('files', () => {
  test('a folder is taken in at a glance', () => {
    const full = [...filesPerFolder(sources)].filter(([folder, count]) => count > FILES_MAX && !LISTS.includes(folder));
    const findings = full.map(([path, count]) => ({ path, text: `${count} files` }));
    expectNone(findings, `a folder holds at most ${FILES_MAX} files: divide it by subject`);
  });

  test('a file is read in one go', () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: countLines(text) }))
      .filter(({ path, lines }) => lines > LINES_MAX && !/\.(md|json)$/.test(path));
    const findings = long.map(({ path, lines }) => ({ path, text: `${lines} lines` }));
    expectNone(findings, `a file has at most ${LINES_MAX} lines: divide it where it has two subjects`);
  });

  test('a function fits on a screen', () => {
    const long = scriptsOf(sources)
      .flatMap(measureFunctions)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX);
    const findings = long.map(({ path, line, name, lines }) => ({ path, line, text: `${name} has ${lines} lines` }));
    expectNone(findings, `a function has at most ${FUNCTION_LINES_MAX} lines: move a step out, or make it a class`);
  });

  test('a name says what the file is about', () => {
    const vague = sources.filter(({ path }) =>
      basename(path)
        .split(/[.\-_]/)
        .some(word => VAGUE.includes(word.toLowerCase())),
    );
    const findings = vague.map(({ path }) => ({ path, text: 'a word that fits anything' }));
    expectNone(findings, 'name the file after the one noun it is about');
  });
});

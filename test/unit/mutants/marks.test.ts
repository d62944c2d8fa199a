import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { MARKS } from '../../mutants/marks.js';
import { TARGETS, targetOf } from '../../mutants/targets.js';
import { readCheckout } from '../house/rules/checkout.js';
import { expectNone } from '../house/rules/finding.js';

// Finds at once what `npm run mutants` finds after minutes: a mark or a part whose code has changed.

const { sources } = readCheckout(join(import.meta.dirname, '../../..'));
const texts = new Map(sources.map(({ path, text }) => [path, text]));

describe('mutants', () => {
  test('the text of each mark is on a line of its file', () => {
    const dead = MARKS.filter(({ file, line, original }) => {
      const text = texts.get(file) ?? '';
      return !text.split('\n').some(one => one.trim() === line) || !text.includes(original);
    });
    const findings = dead.map(({ file, line, original }) => ({ path: file, text: `${original} in: ${line}` }));
    expectNone(findings, 'the product has changed: correct the mark in test/mutants/marks.ts, or remove it');
  });

  test('each part of the product has files', () => {
    const names = new Set(sources.map(({ path }) => targetOf(path)?.name));
    const empty = TARGETS.filter(({ name }) => !names.has(name));
    expectNone(
      empty.map(({ name, files }) => ({ path: 'test/mutants/targets.ts', text: `${name}: ${files.source}` })),
      'the files have moved: let the pattern follow',
    );
  });
});

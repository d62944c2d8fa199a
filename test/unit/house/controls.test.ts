import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import type { Bug } from '../../controls/bug.js';
import { BUGS } from '../../controls/bugs.js';
import { readCheckout } from './rules/checkout.js';
import { expectNone } from './rules/finding.js';
import { fullNamesOf } from './rules/titles.js';

// Finds at once what `npm run controls` finds after minutes: a bug whose code or test has changed its text.

const checkout = readCheckout(join(import.meta.dirname, '../../..'));

const sources = new Map(checkout.sources.map(source => [source.path, source]));

const testOf = ({ caughtBy: { kind, file } }: Bug): string => `test/${kind}/${file}.test.ts`;

function hasTest(bug: Bug): boolean {
  const source = sources.get(testOf(bug));
  return source !== undefined && fullNamesOf(source).some(name => name.includes(bug.caughtBy.title));
}

describe('controls', () => {
  test('the test of each bug exists', () => {
    const missing = BUGS.filter(bug => !hasTest(bug));
    const findings = missing.map(bug => ({ path: testOf(bug), text: `"${bug.caughtBy.title}" (${bug.bug})` }));
    expectNone(findings, 'no such file, or no such title in it: correct caughtBy in test/controls');
  });

  test('the text that each bug replaces is in its file once', () => {
    const findings = BUGS.flatMap(({ bug, edits }) =>
      edits.flatMap(({ file, find }) => {
        const times = (sources.get(file)?.text ?? '').split(find).length - 1;
        return times === 1 ? [] : [{ path: file, text: `${times} times: ${find} (${bug})` }];
      }),
    );
    expectNone(findings, 'the product has changed: let the edit in test/controls follow');
  });
});

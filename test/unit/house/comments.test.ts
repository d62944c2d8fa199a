import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { below, CODE, PRODUCT, readCheckout, scriptsOf } from './rules/checkout.js';
import { undescribedExports } from './rules/exports.js';
import { expectNone } from './rules/finding.js';
import { tautologicalTags } from './rules/tags.js';

const checkout = readCheckout(join(import.meta.dirname, '../../..'));

describe('doc comments', () => {
  test('every export is described by a sentence', () => {
    const findings = undescribedExports(scriptsOf(below(checkout, [...PRODUCT, 'bench'])));
    expectNone(findings, 'directly above: /** A sentence. */, from a capital letter to a full stop, before any tag');
  });

  test('a tag says more than the signature', () => {
    const findings = tautologicalTags(scriptsOf(below(checkout, CODE)));
    expectNone(findings, 'remove the tag, or say the unit, the shape, the limit or the reason');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { errorsPage } from '../../support/pages/errors-page.js';
import { formatPage } from '../../support/pages/written-page.js';

const path = join(checkout, 'docs', 'errors.md');

test('docs/errors.md says what the table of problems says', async () => {
  const isCurrent = readFileSync(path, 'utf8') === (await formatPage(path, errorsPage()));
  expect(isCurrent ? '' : 'docs/errors.md is out of date: run npm run docs:errors').toBe('');
});

import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { errorsPage } from './errors-page.js';
import { writePage } from './written-page.js';

// `npm run docs:errors`: writes docs/errors.md from the table of problems.

await writePage(join(checkout, 'docs', 'errors.md'), errorsPage());

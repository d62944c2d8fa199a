import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { dependenciesPage } from './dependencies-page.js';
import { writePage } from './written-page.js';

// `npm run docs:dependencies`: writes docs/dependencies.md from the packages that are installed.

await writePage(join(checkout, 'docs', 'dependencies.md'), dependenciesPage());

import { resolve } from 'node:path';
import { percentile } from '../../support/percentile.js';
import { aliases, booleanArguments, longParameterLists } from './rules/calls.js';
import {
  below,
  type Checkout,
  CODE,
  countLines,
  PRODUCT,
  readCheckout,
  type Source,
  scriptsOf,
} from './rules/checkout.js';
import { undescribedExports } from './rules/exports.js';
import { foreignVerbs, secondMeanings } from './rules/meanings.js';
import { bannedPhrases, hiddenSubjects } from './rules/phrases.js';
import { FILES_MAX, filesPerFolder, measureFunctions } from './rules/sizes.js';
import { tautologicalTags } from './rules/tags.js';

// `npm run measure -- DIR`: measures a checkout by the rules of the house, an older one as well, for a before and an after.

const spread = (numbers: number[]): string =>
  `median ${percentile(numbers, 0.5)}, p90 ${percentile(numbers, 0.9)}, max ${percentile(numbers, 1)} (${numbers.length})`;

/** Measures the sizes of some sources: the product, or its tests. */
function sizesOf(sources: Source[]): [string, string][] {
  const folders = [...filesPerFolder(sources)].sort(([, a], [, b]) => b - a);
  const full = folders.filter(([, count]) => count > FILES_MAX).map(([folder, count]) => `${folder} ${count}`);
  const written = scriptsOf(sources);
  return [
    ['files per folder', spread(folders.map(([, count]) => count))],
    [`folders above ${FILES_MAX}`, full.length === 0 ? 'none' : `${full.length}: ${full.join(', ')}`],
    ['lines per file', spread(written.map(({ text }) => countLines(text)))],
    ['lines per function', spread(written.flatMap(measureFunctions).map(({ lines }) => lines))],
  ];
}

/** Counts the violations of the rules about names and words. */
function violationsOf(checkout: Checkout): [string, string][] {
  const product = scriptsOf(below(checkout, PRODUCT));
  const described = scriptsOf(below(checkout, [...PRODUCT, 'bench']));
  const code = below(checkout, CODE);
  const prose = checkout.sources.filter(
    ({ path }) => !path.startsWith('prisma/migrations/') && path !== 'CHANGELOG.md',
  );
  const counts = {
    'import aliases': aliases(product).length,
    'boolean arguments': booleanArguments(product).length,
    'long parameter lists': longParameterLists(product).length,
    'exports without a summary': undescribedExports(described).length,
    'tautological tags': tautologicalTags(scriptsOf(code)).length,
    'banned phrases': bannedPhrases(prose).length,
    'sentences that begin with Who or What': hiddenSubjects(prose).length,
    'words in a second meaning': secondMeanings(code).length,
    'foreign verbs': foreignVerbs(scriptsOf(code)).length,
  };
  return Object.entries(counts).map(([name, count]) => [name, String(count)]);
}

function print(title: string, rows: [string, string][]): void {
  process.stdout.write(`${title}\n${rows.map(([name, value]) => `  ${name.padEnd(38)} ${value}\n`).join('')}`);
}

const checkout = readCheckout(resolve(process.argv[2] ?? '.'));
print('core, apps, stack, bench', sizesOf(below(checkout, [...PRODUCT, 'bench'])));
print('test', sizesOf(below(checkout, ['test'])));
print('violations', violationsOf(checkout));

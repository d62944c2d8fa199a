import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { below, CODE, readCheckout, scriptsOf } from './rules/checkout.js';
import { expectNone } from './rules/finding.js';
import { foreignVerbs, placeTypes, secondMeanings } from './rules/meanings.js';
import { bannedPhrases, hiddenSubjects } from './rules/phrases.js';

const checkout = readCheckout(join(import.meta.dirname, '../../..'));
const code = below(checkout, CODE);

/** Released migrations don't change, and a changelog tells history. */
const prose = checkout.sources.filter(({ path }) => !path.startsWith('prisma/migrations/') && path !== 'CHANGELOG.md');

describe('words', () => {
  test('comments, titles and documents are plain English', () => {
    expectNone(bannedPhrases(prose), 'say it plainly (CONTRIBUTING.md, "Writing")');
  });

  test('a sentence begins with its subject', () => {
    expectNone(hiddenSubjects(prose), 'begin with the subject: "A buyer who …", "The value that …" (CONTRIBUTING.md)');
  });

  test('a word has one meaning', () => {
    expectNone(secondMeanings(code), 'one meaning for each word (ARCHITECTURE.md, "The words")');
  });

  test('a function is named with the verb of the house', () => {
    expectNone(foreignVerbs(scriptsOf(code)), 'one verb for each kind of function (CONTRIBUTING.md, "Names")');
  });

  test('no type is named Place', () => {
    expectNone(placeTypes(scriptsOf(code)), 'place is what becomes of a claim: "Address", "Position", "Entry"');
  });
});

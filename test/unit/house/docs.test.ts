import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { readCheckout } from './rules/checkout.js';
import { expectNone } from './rules/finding.js';
import { deadCommands, deadLinks, deadPaths, deadPathsInComments } from './rules/references.js';

const checkout = readCheckout(join(import.meta.dirname, '../../..'));

describe('documents', () => {
  test('every path and test that a document names exists', () => {
    expectNone(deadPaths(checkout), 'correct the path: files from the top folder, tests from the folder below test/');
  });

  test('every path that a comment names exists', () => {
    expectNone(deadPathsInComments(checkout), 'correct the path, from the top folder');
  });

  test('every link leads to a file and a heading', () => {
    expectNone(deadLinks(checkout), 'correct the link: the path from the document, the anchor as GitHub makes it');
  });

  test('every command is in package.json', () => {
    expectNone(deadCommands(checkout), 'correct the command, or add it to the scripts of package.json');
  });
});

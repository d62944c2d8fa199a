import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';

// Documents point at files, at headings of each other and at tests. A move must not leave them pointing at nothing.

const FOLDERS = ['.', 'docs', 'bench', 'examples/express-shop'];
/** Paths that a document names without a link: of the repository, or of a test below test/. */
const PATH = /`((?:apps|bench|bin|core|docs|examples|nginx|prisma|stack|test)\/[\w./-]*\w\/?)`/g;
const TEST = /`((?:integration|unit|e2e|chaos|attack|edge|browser)\/[\w/-]+)`/g;
const LINK = /\]\(([^)\s]+)\)/g;

const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');

const documents = FOLDERS.flatMap(folder =>
  readdirSync(join(checkout, folder))
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name)),
);

const found = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map(match => match[1] ?? '');

/** The anchors that GitHub gives to the headings of a document. */
const anchorsOf = (path: string): string[] =>
  found(/^#+ (.+)$/gm, read(path)).map(heading =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

function isThere(document: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? document : join(dirname(document), file);
  if (!existsSync(join(checkout, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/** A folder of tests, or one file. */
const isTest = (name: string): boolean =>
  existsSync(join(checkout, 'test', name)) || existsSync(join(checkout, 'test', `${name}.test.ts`));

test.each(documents)('%s points only at what there is', document => {
  const text = read(document);
  const links = found(LINK, text).filter(link => !/^https?:/.test(link) && !isThere(document, link));
  const paths = found(PATH, text).filter(
    path => !existsSync(join(checkout, path)) && !isTest(path.slice('test/'.length)),
  );
  const tests = found(TEST, text).filter(name => !isTest(name));
  expect([...links, ...paths, ...tests]).toEqual([]);
});

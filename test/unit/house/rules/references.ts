import { posix } from 'node:path';
import type { Checkout, Source } from './checkout.js';
import type { Finding } from './finding.js';
import { passagesOf } from './passages.js';

/** The folders whose names make the beginning of a path. */
const ROOTS = 'core|apps|stack|bench|test|bin|docs|prisma|nginx|examples|deploy';
const TEST_KINDS = 'unit|integration|e2e|chaos|attack|edge|browser';
/** Files beside ours that an operator writes (docs/operations.md). */
const OPERATORS_OWN = 'nginx/local/';
const SOURCES = 'ts|js|mjs|cjs|lua|sql';
const EXTENSIONS = 'ts|js|mjs|cjs|lua|sql|css|html|md|conf|prisma|svg';
/** Endings that documents leave out. */
const LEFT_OUT = ['', '.ts', '.test.ts', '.lua', '.js', '.mjs'];

/** Every path of a checkout: its files and the folders above them. */
function pathsOf({ sources }: Checkout): Set<string> {
  const paths = new Set<string>();
  for (const { path } of sources) {
    for (let part = path; part !== '.'; part = posix.dirname(part)) paths.add(part);
  }
  return paths;
}

const documentsOf = ({ sources }: Checkout): Source[] =>
  sources.filter(({ path }) => path.endsWith('.md') && path !== 'CHANGELOG.md');

/** Finds paths in the backticks of documents that lead nowhere, tests among them (`unit/core/identity/token`). */
export function deadPaths(checkout: Checkout): Finding[] {
  const paths = [...pathsOf(checkout)];
  return documentsOf(checkout).flatMap(({ path, text }) =>
    [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].flatMap(found => {
      const code = found[1] as string;
      const wanted = wantedPath(code);
      if (wanted === undefined || paths.some(one => wanted.test(one))) return [];
      return [{ path, line: lineAt(text, found.index), text: code }];
    }),
  );
}

/** Returns the pattern of the path that a text in backticks means: a path, a test, or the end of a path. */
function wantedPath(code: string): RegExp | undefined {
  if (!/^[\w./*{},@-]+$/.test(code) || code.startsWith(OPERATORS_OWN)) return undefined;
  const path = code.replace(/\/$/, '');
  if (new RegExp(`^(${ROOTS})/`).test(path)) return globOf(path, '^');
  if (new RegExp(`^(${TEST_KINDS})/`).test(path)) return globOf(`test/${path}`, '^');
  if (new RegExp(`^[\\w-]+(/[\\w.*{},-]+)*\\.(${SOURCES})$`).test(path)) return globOf(path, '(^|/)');
  return undefined;
}

function globOf(path: string, beginning: string): RegExp {
  const pattern = path
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\{([^}]*)\}/g, (_, choices: string) => `(${choices.replaceAll(',', '|')})`)
    .replace(/\*+/g, stars => (stars.length > 1 ? '.*' : '[^/]*'));
  const endings = LEFT_OUT.map(ending => ending.replaceAll('.', '\\.')).join('|');
  return new RegExp(`${beginning}${pattern}(${endings})$`);
}

/** Blanks fenced code, and keeps the line breaks. */
const withoutFences = (text: string): string => text.replace(/```[\s\S]*?```/g, code => code.replace(/[^\n]/g, ''));

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** Finds paths in comments that lead nowhere. */
export function deadPathsInComments(checkout: Checkout): Finding[] {
  const paths = pathsOf(checkout);
  const pattern = new RegExp(`(?<![\\w./#-])(?:${ROOTS})/[\\w./-]*\\.(?:${EXTENSIONS})\\b`, 'g');
  return checkout.sources
    .filter(({ path }) => !path.endsWith('.md') && !path.startsWith('prisma/migrations/'))
    .flatMap(source => {
      const lines = new Set(
        passagesOf(source).flatMap(({ line, text }) => text.split('\n').map((_, index) => line + index)),
      );
      return source.text.split('\n').flatMap((text, index) => {
        if (!lines.has(index + 1)) return [];
        const dead = [...text.matchAll(pattern)].map(([path]) => path).filter(path => !paths.has(path));
        return dead.map(path => ({ path: source.path, line: index + 1, text: path }));
      });
    });
}

/** Finds relative links whose file or heading is missing. */
export function deadLinks(checkout: Checkout): Finding[] {
  const paths = pathsOf(checkout);
  const headings = new Map(checkout.sources.map(({ path, text }) => [path, path.endsWith('.md') ? slugsOf(text) : []]));
  return documentsOf(checkout).flatMap(({ path, text }) =>
    [...withoutFences(text).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(found => {
      const link = found[1] as string;
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', heading] = link.split('#');
      const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, '');
      const leads = paths.has(target) && (heading === undefined || headings.get(target)?.includes(heading));
      return leads ? [] : [{ path, line: lineAt(text, found.index), text: link }];
    }),
  );
}

/** The anchors that GitHub gives to the headings of a document. */
function slugsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .trim()
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** Finds commands `npm run x` in documents that package.json doesn't have. */
export function deadCommands(checkout: Checkout): Finding[] {
  const manifest = checkout.sources.find(({ path }) => path === 'package.json')?.text ?? '{}';
  const { scripts = {} } = JSON.parse(manifest) as { scripts?: Record<string, string> };
  return documentsOf(checkout).flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)]
      .filter(([, name = '']) => scripts[name] === undefined)
      .map(found => ({ path, line: lineAt(text, found.index), text: found[0] })),
  );
}

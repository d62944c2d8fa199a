// Copies the page into dist/. The name of each asset, and each reference to it, gets a hash of its content.
// So browsers may cache an asset without end. The same sources always give the same files.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, parse } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const ROOT = join(import.meta.dirname, '..');
const ASSET = /\.(js|css|svg)$/;
const PAGE = 'index.html';

/**
 * The modules of a library that the page's worker loads, by the names under which it does: /assets/altcha/pow.js. Their names differ
 * from those of the page's own assets.
 */
const ALTCHA = join(ROOT, 'node_modules/altcha-lib');
const LIBRARY = new Map(
  ['pow.js', 'helpers.js', 'types.js', 'algorithms/web/pbkdf2.js'].map(path => [
    basename(path),
    join(ALTCHA, 'dist/esm/v2', path),
  ]),
);

/** Ten hex digits are 40 bits: enough to tell the versions of one file apart. */
const HASH_LENGTH = 10;

/** Matches how an asset names another: "/assets/page.css" in the page, './sale.js', './draw/part.js' or '../../sale.js' in a module. */
const REFERENCE = /(?<=["'])(\/assets|\.|\.\.(?:\/\.\.)*)\/(?:[\w-]+\/)*([\w-]+\.(?:js|css|svg))(?=["'])/g;

/**
 * Builds the page.
 *
 * @param {{from?: string, to?: string}} [folders] the sources of the page, and the target folder, which is replaced
 * @returns {Record<string, string>} the hashed name of each asset, by its own name
 * @throws {Error} when a reference names no file, or when modules import each other in a circle
 */
export function buildWeb({ from = join(ROOT, 'apps/web'), to = join(ROOT, 'dist/apps/web') } = {}) {
  // In the build all assets lie in one folder, so the name of a source is enough to identify it.
  const sources = new Map(
    readdirSync(from, { recursive: true })
      .filter(path => ASSET.test(path))
      .sort()
      .map(path => [basename(path), path]),
  );
  const built = new Map();
  for (const name of sources.keys()) addAsset(name, []);

  function addAsset(name, importers) {
    if (importers.includes(name)) throw new Error(`circular import in ${from}: ${[...importers, name].join(' -> ')}`);
    const path = sources.has(name) ? join(from, sources.get(name)) : LIBRARY.get(name);
    if (path === undefined) throw new Error(`${importers.at(-1)} refers to ${name}, which is not in ${from}`);
    const present = built.get(name);
    if (present) return present.hashed;
    // The assets that it refers to come first. The hash covers their hashed names, so that a change travels up to the page.
    const licence = LIBRARY.get(name) === path ? licenceOf(ALTCHA) : '';
    const text = licence + rewrite(readFileSync(path, 'utf8'), [...importers, name]);
    const hashed = hashedName(name, text);
    built.set(name, { hashed, text });
    return hashed;
  }

  function rewrite(text, importers) {
    // All lie in one folder.
    return text.replace(
      REFERENCE,
      (_, from, name) => `${from === '/assets' ? from : '.'}/${addAsset(name, importers)}`,
    );
  }

  const page = rewrite(readFileSync(join(from, PAGE), 'utf8'), [PAGE]);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, 'assets'), { recursive: true });
  for (const { hashed, text } of built.values()) writeCompressed(join(to, 'assets', hashed), text);
  writeFileSync(join(to, PAGE), page);
  return Object.fromEntries([...built].map(([name, { hashed }]) => [name, hashed]));
}

/** Returns the licence of a library as a comment: it has to stand in each copy. */
const licenceOf = folder => `/*!\n${readFileSync(join(folder, 'LICENSE.txt'), 'utf8')}*/\n`;

/** Writes a file, and beside it the compressed forms that a proxy sends to a browser (gzip_static, brotli_static). */
function writeCompressed(path, text) {
  writeFileSync(path, text);
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(text));
}

function hashedName(file, text) {
  const { name, ext } = parse(file);
  return `${name}.${createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)}${ext}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) buildWeb();
